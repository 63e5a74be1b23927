#include "bus-service/store/event_scan.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"

namespace pvebus::bus {
namespace {

absl::Status Missing(Sequence sequence) { return Damaged("events", sequence, absl::StrFormat("event %d is missing", sequence)); }

}  // namespace

ReadTransaction::ReadTransaction(JournalTables& tables) : tables_(tables), status_(tables.Begin()) {
  if (!status_.ok()) return;
  auto state = tables.journal.Get();
  status_ = state.status();
  if (state.ok()) first_sequence_ = state->first_sequence;
}

ReadTransaction::~ReadTransaction() {
  if (tables_.database->in_transaction()) tables_.Commit().IgnoreError();  // it has changed nothing
}

absl::Status ReadEvents(JournalTables& tables, const LostRanges& lost, Sequence from, Sequence until, ReadLimits limits,
                        std::vector<EventPtr>& events) {
  const ReadTransaction transaction(tables);
  if (!transaction.status().ok()) return transaction.status();
  Sequence next = lost.Skip(std::max(from, transaction.first_sequence()));
  size_t bytes = 0;
  tables.events.Seek(next);
  while (next <= until && events.size() < limits.max_events) {
    auto more = tables.events.Next();
    if (!more.ok()) return more.status();
    if (!*more) return Missing(next);
    if (tables.events.sequence() != next) {
      // Rows of lost events are not there, nor is anything before `next`.
      tables.events.End();
      return Missing(next);
    }
    auto event = tables.events.Current();
    if (!event.ok()) {
      tables.events.End();
      return event.status();
    }
    bytes += (*event)->Bytes();
    if (!events.empty() && bytes > limits.max_bytes) break;
    events.push_back(*std::move(event));
    next = lost.Skip(next + 1);
  }
  tables.events.End();
  return absl::OkStatus();
}

void ScanEvents(JournalTables& tables, const LostRanges& lost, Sequence first, Sequence last,
                const std::function<void(const std::shared_ptr<Event>&, int64_t checksum)>& visit,
                const std::function<void(const absl::Status&)>& problem) {
  Sequence next = lost.Skip(first);
  tables.events.Seek(next);
  while (next <= last) {
    auto more = tables.events.Next();
    if (!more.ok()) {
      // A page of the tree is damaged. Those on other pages are found one by one.
      problem(Damaged("events", next, std::string(more.status().message())));
      for (size_t tries = 0; next <= last && tries < kSegmentEvents; ++tries, next = lost.Skip(next + 1)) {
        auto event = tables.events.Get(next);
        if (event.ok() && *event) visit(std::const_pointer_cast<Event>(*event), 0);
      }
      return;
    }
    const Sequence found = *more ? tables.events.sequence() : last + 1;
    if (next < found) {
      const Sequence gap_last = std::min(found - 1, last);
      problem(gap_last == next ? Missing(next)
                               : Damaged("events", next, absl::StrFormat("events %d..%d are missing", next, gap_last)));
    }
    if (!*more || found > last) break;
    const int64_t checksum = tables.events.checksum();
    auto event = tables.events.Current();
    if (event.ok()) {
      visit(*event, checksum);
    } else {
      problem(event.status());
    }
    next = lost.Skip(found + 1);
  }
  tables.events.End();
}

}  // namespace pvebus::bus
