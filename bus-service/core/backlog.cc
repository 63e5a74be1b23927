#include "bus-service/core/backlog.h"

#include <algorithm>

namespace pvebus::bus {

void Backlog::Restore(uint64_t ahead, Sequence counted_until) {
  ahead_ = static_cast<int64_t>(ahead);
  Count(std::max(counted_until + 1, cursor_.next()), parts_.ledger.journaled_sequence());
}

void Backlog::Recount() {
  before_loss_.reset();
  Clear();
  Count(cursor_.next(), parts_.ledger.journaled_sequence());
}

bool Backlog::RecountAfterLoss(Lost lost) {
  const bool known = !counting_ || before_loss_;
  int64_t before = before_loss_.value_or(0) + ahead_;
  // What has expired was lost before.
  before -= std::count_if(expired_.begin(), expired_.end(), [this](Sequence sequence) { return sequence < cursor_.next(); });
  Recount();
  if (!known) return false;
  before_loss_ = before;
  lost_ = std::move(lost);
  if (!counting_) TellLost();
  return true;
}

void Backlog::TellLost() {
  if (!before_loss_) return;
  const int64_t lost = *before_loss_ - ahead_;
  before_loss_.reset();
  lost_(static_cast<uint64_t>(std::max<int64_t>(lost, 0)));
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
                     if (!wanted.ok()) return before_loss_.reset();
                     if (before_loss_) *before_loss_ += ahead_;
                     ahead_ += static_cast<int64_t>(*wanted);
                     TellLost();
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
  if (before_loss_) *before_loss_ += ahead_;
  ahead_ = 0;
  expired_.clear();
  counting_ = nullptr;
  TellLost();
}

uint64_t Backlog::count() const {
  const uint64_t all = ahead();
  return all - std::min<uint64_t>(all, expired_.size());
}

}  // namespace pvebus::bus
