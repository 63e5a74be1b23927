#include "sdk/events/names.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/error.h"
#include "sdk/base/nearest.h"

namespace pvebus::events {
namespace {

using event::v1::SystemEvent;

// The enums are dense from 1, so value v has the name at v - 1.
std::string_view NameAt(const std::vector<std::string>& names, int value) {
  return value >= 1 && value <= static_cast<int>(names.size()) ? std::string_view(names[value - 1]) : std::string_view();
}

std::string WithSeparator(std::string_view name, char from, char to) {
  std::string result(name);
  std::replace(result.begin(), result.end(), from, to);
  return result;
}

absl::StatusOr<int> ValueOf(const std::vector<std::string>& names, std::string_view kind, std::string_view typed) {
  for (char separator : {'_', '-'}) {
    const std::string wanted = WithSeparator(typed, separator == '_' ? '-' : '_', separator);
    const auto it = std::find(names.begin(), names.end(), wanted);
    if (it != names.end()) return static_cast<int>(it - names.begin()) + 1;
  }
  return MakeError(
      absl::StatusCode::kInvalidArgument, "NAME_UNKNOWN",
      absl::StrFormat("'%s' is not %s%s; allowed: %s", typed, kind, DidYouMean(typed, names), absl::StrJoin(names, ", ")));
}

template <typename Enum>
absl::StatusOr<Enum> Parse(const std::vector<std::string>& names, std::string_view kind, std::string_view typed) {
  const absl::StatusOr<int> value = ValueOf(names, kind, typed);
  if (!value.ok()) return value.status();
  return static_cast<Enum>(*value);
}

}  // namespace

const std::vector<std::string>& EventTypeNames() {
  static const auto& names = *new std::vector<std::string>{"network_applied", "container_started", "storage_vlan_created",
                                                           "migration_phase_changed", "custom"};
  return names;
}

const std::vector<std::string>& MigrationPhaseNames() {
  static const auto& names =
      *new std::vector<std::string>{"perl-only", "rust-read-only", "rust-basic-write", "rust-advanced", "rust-sdn", "rust-full"};
  return names;
}

const std::vector<std::string>& ChangeTypeNames() {
  static const auto& names = *new std::vector<std::string>{"create", "update", "delete", "modify"};
  return names;
}

event::v1::EventType TypeOf(const SystemEvent& event) {
  switch (event.payload_case()) {
    case SystemEvent::kNetworkApplied:
      return event::v1::EVENT_TYPE_NETWORK_APPLIED;
    case SystemEvent::kContainerStarted:
      return event::v1::EVENT_TYPE_CONTAINER_STARTED;
    case SystemEvent::kStorageVlanCreated:
      return event::v1::EVENT_TYPE_STORAGE_VLAN_CREATED;
    case SystemEvent::kMigrationPhaseChanged:
      return event::v1::EVENT_TYPE_MIGRATION_PHASE_CHANGED;
    case SystemEvent::kCustom:
      return event::v1::EVENT_TYPE_CUSTOM;
    case SystemEvent::PAYLOAD_NOT_SET:
      break;
  }
  return event::v1::EVENT_TYPE_UNSPECIFIED;
}

std::string_view EventTypeName(event::v1::EventType type) { return NameAt(EventTypeNames(), type); }
std::string_view MigrationPhaseName(event::v1::MigrationPhase phase) { return NameAt(MigrationPhaseNames(), phase); }
std::string_view ChangeTypeName(event::v1::ChangeType type) { return NameAt(ChangeTypeNames(), type); }

absl::StatusOr<event::v1::EventType> ParseEventType(std::string_view name) {
  return Parse<event::v1::EventType>(EventTypeNames(), "a kind of event", name);
}
absl::StatusOr<event::v1::MigrationPhase> ParseMigrationPhase(std::string_view name) {
  return Parse<event::v1::MigrationPhase>(MigrationPhaseNames(), "a migration phase", name);
}
absl::StatusOr<event::v1::ChangeType> ParseChangeType(std::string_view name) {
  return Parse<event::v1::ChangeType>(ChangeTypeNames(), "a kind of change", name);
}

}  // namespace pvebus::events
