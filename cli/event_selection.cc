#include "cli/event_selection.h"

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::cli {

using bus::v1::JournalService;

bool EventSelection::IsBackward() const {
  const bool both = from && until && from->has_sequence() && until->has_sequence();
  return both && until->sequence() < from->sequence();
}

absl::StatusOr<std::optional<uint64_t>> EventSelection::EndSequence(const GlobalOptions& global) const {
  if (!until || until->latest()) return 0;
  if (until->has_sequence()) return until->sequence();
  // The contract ends at a sequence: the one before the first event that is too late.
  bus::v1::ListEventsRequest request;
  *request.mutable_start_position() = *until;
  request.set_page_size(1);
  uint64_t first_too_late = 0;
  const absl::Status status = ForEachPage<JournalService>(&JournalService::Stub::ListEvents, request, global, [&](auto& page) {
    if (!page.events().empty()) first_too_late = page.events(0).sequence();
    return page.events().empty();
  });
  if (!status.ok()) return status;
  if (first_too_late == 0) return 0;
  if (first_too_late == 1) return std::nullopt;
  return first_too_late - 1;
}

void AddEventFilters(CLI::App& command, EventSelection& selection) {
  command.add_option("--filter", selection.filter, "Only those, for example 'event_type = custom AND source = \"pve*\"'");
  AddEventTypes(command, selection.types);
}

void CheckDirection(const EventSelection& selection, const std::string& until_option) {
  if (!selection.IsBackward()) return;
  throw CLI::ValidationError(until_option,
                             absl::StrFormat("%d is before --from %d", selection.until->sequence(), selection.from->sequence()));
}

}  // namespace pvebus::cli
