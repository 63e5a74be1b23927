#include "sdk/events/summary.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "sdk/events/names.h"

namespace pvebus::events {
namespace {

constexpr int kMaxChangesShown = 6;

std::string_view PastTense(event::v1::ChangeType type) {
  switch (type) {
    case event::v1::CHANGE_TYPE_CREATE:
      return "created";
    case event::v1::CHANGE_TYPE_UPDATE:
    case event::v1::CHANGE_TYPE_MODIFY:
      return "updated";
    case event::v1::CHANGE_TYPE_DELETE:
      return "deleted";
    default:
      return "changed";
  }
}

std::string SummarizeNetwork(const event::v1::NetworkApplied& network) {
  if (network.changes().empty()) return "network applied";  // where events are shown without their changes
  std::string line = "network:";
  const int shown = std::min(network.changes_size(), kMaxChangesShown);
  for (int i = 0; i < shown; ++i) {
    const event::v1::ConfigChange& change = network.changes(i);
    absl::StrAppendFormat(&line, "%s %s %s", i == 0 ? "" : ",", change.target(), PastTense(change.change_type()));
  }
  if (network.changes_size() > shown) absl::StrAppendFormat(&line, " and %d more", network.changes_size() - shown);
  return line;
}

std::string SummarizeCustom(const event::v1::Custom& custom) {
  if (custom.data().empty()) return absl::StrFormat("custom event %s", custom.name());
  return absl::StrFormat("custom event %s (%d %s)", custom.name(), custom.data_size(),
                         custom.data_size() == 1 ? "field" : "fields");
}

}  // namespace

std::string Summarize(const event::v1::SystemEvent& event) {
  using event::v1::SystemEvent;
  switch (event.payload_case()) {
    case SystemEvent::kNetworkApplied:
      return SummarizeNetwork(event.network_applied());
    case SystemEvent::kContainerStarted:
      return absl::StrFormat("container %d started", event.container_started().id());
    case SystemEvent::kStorageVlanCreated:
      return absl::StrFormat("VLAN of storage %s created", event.storage_vlan_created().id());
    case SystemEvent::kMigrationPhaseChanged: {
      const event::v1::MigrationPhase phase = event.migration_phase_changed().phase();
      const std::string_view name = MigrationPhaseName(phase);
      return name.empty() ? absl::StrFormat("migration phase is now %d", static_cast<int>(phase))
                          : absl::StrFormat("migration phase is now %s", name);
    }
    case SystemEvent::kCustom:
      return SummarizeCustom(event.custom());
    case SystemEvent::PAYLOAD_NOT_SET:
      break;
  }
  return "no payload";
}

}  // namespace pvebus::events
