#include "bus-service/core/backlog.h"

#include <algorithm>

namespace pvebus::bus {

void Backlog::Restore(uint64_t ahead, Sequence counted_until) {
  ahead_ = static_cast<int64_t>(ahead);
  Count(std::max(counted_until + 1, cursor_.next()), parts_.ledger.journaled_sequence());
}

void Backlog::Recount() {
  Clear();
  Count(cursor_.next(), parts_.ledger.journaled_sequence());
}

void Backlog::Count(Sequence from, Sequence to) {
  from = std::max(from, parts_.log.first_sequence());
  if (from > to) return;
  if (cursor_.CountsAll(from)) {
    ahead_ += static_cast<int64_t>(to - from + 1 - parts_.log.lost().CountIn(from, to));
    return;
  }
  counting_ = std::make_shared<int>();
  parts_.log.Count(from, to, cursor_.Wish(),
                   [this, count = std::weak_ptr<int>(counting_)](const absl::StatusOr<uint64_t>& wanted) {
                     if (count.expired()) return;
                     counting_ = nullptr;
                     if (wanted.ok()) ahead_ += static_cast<int64_t>(*wanted);
                   });
}

void Backlog::Passed(Sequence sequence) {
  --ahead_;
  if (!expired_.empty()) expired_.erase(sequence);
}

void Backlog::Expired(Sequence sequence) {
  if (expired_.size() < kMaxExpired) expired_.insert(sequence);
}

void Backlog::Clear() {
  ahead_ = 0;
  expired_.clear();
  counting_ = nullptr;
}

uint64_t Backlog::count() const {
  const uint64_t all = ahead();
  return all - std::min<uint64_t>(all, expired_.size());
}

}  // namespace pvebus::bus
