#include "migration-service/rpc/step_back_outbox.h"

#include "absl/strings/str_format.h"
#include "migration-service/rpc/phase_event.h"

namespace pvebus::migration {

absl::StatusOr<std::vector<client::OutboxEntry>> StepBackOutbox::Entries() {
  const auto order = store_.StepBack();
  if (!order.ok()) return order.status();
  std::vector<client::OutboxEntry> entries;
  if (*order) {
    entries.push_back({.key = (*order)->event_id,
                       .label = absl::StrFormat("notice=step_back phase=%s", PhaseName((*order)->to)),
                       .request_id = (*order)->event_id,
                       .event = EventOf(**order)});
  }
  return entries;
}

// Meanwhile the phase may be another one, and go back, too: that order stays.
absl::Status StepBackOutbox::Remove(const std::string& key) { return store_.RemoveStepBack(key); }

}  // namespace pvebus::migration
