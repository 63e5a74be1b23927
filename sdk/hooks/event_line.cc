#include "sdk/hooks/event_line.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"
#include "sdk/events/names.h"

namespace pvebus::hooks {
namespace {

using event::v1::SystemEvent;

constexpr int kTargetsShown = 8;
constexpr size_t kMaxValueBytes = 128;

bool IsPlain(char c) {
  const bool printable = static_cast<unsigned char>(c) > ' ' && c != 0x7f;
  return printable && c != '"' && c != '\\' && c != '=';
}

void Append(std::string& line, std::string_view key, std::string_view value) {
  const std::string clean = CleanUtf8(value, kMaxValueBytes);
  if (!clean.empty() && std::all_of(clean.begin(), clean.end(), IsPlain)) {
    absl::StrAppendFormat(&line, " %s=%s", key, clean);
    return;
  }
  absl::StrAppendFormat(&line, " %s=\"", key);
  for (const char c : clean) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

std::string Targets(const event::v1::NetworkApplied& applied) {
  std::string targets;
  const int shown = std::min(applied.changes_size(), kTargetsShown);
  for (int i = 0; i < shown; ++i) {
    absl::StrAppendFormat(&targets, "%s%s", i == 0 ? "" : ",", applied.changes(i).target());
  }
  if (shown < applied.changes_size()) absl::StrAppendFormat(&targets, ",+%d", applied.changes_size() - shown);
  return targets;
}

void AppendPayload(std::string& line, const SystemEvent& event) {
  switch (event.payload_case()) {
    case SystemEvent::kNetworkApplied:
      absl::StrAppendFormat(&line, " changes=%d", event.network_applied().changes_size());
      Append(line, "targets", Targets(event.network_applied()));
      break;
    case SystemEvent::kContainerStarted:
      absl::StrAppendFormat(&line, " container=%u", event.container_started().id());
      break;
    case SystemEvent::kStorageVlanCreated:
      Append(line, "storage", event.storage_vlan_created().id());
      break;
    case SystemEvent::kMigrationPhaseChanged:
      Append(line, "phase", events::MigrationPhaseName(event.migration_phase_changed().phase()));
      break;
    case SystemEvent::kCustom:
      Append(line, "name", event.custom().name());
      absl::StrAppendFormat(&line, " entries=%d", event.custom().data_size());
      break;
    case SystemEvent::PAYLOAD_NOT_SET:
      break;
  }
}

}  // namespace

std::string ResourceOf(const SystemEvent& event) {
  switch (event.payload_case()) {
    case SystemEvent::kNetworkApplied:
      return "network";
    case SystemEvent::kContainerStarted:
      return absl::StrFormat("container/%u", event.container_started().id());
    case SystemEvent::kStorageVlanCreated:
      return "storage/" + event.storage_vlan_created().id();
    case SystemEvent::kMigrationPhaseChanged:
      return "migration";
    case SystemEvent::kCustom:
      return "custom/" + event.custom().name();
    case SystemEvent::PAYLOAD_NOT_SET:
      break;
  }
  return event.ordering_key();  // of a later version of the contract
}

std::string EventLine(const client::EventContext& context) {
  const SystemEvent& event = context.event();
  const std::string_view type = events::EventTypeName(events::TypeOf(event));
  std::string line = absl::StrFormat("event=%s", type.empty() ? "unknown" : type);
  Append(line, "event_id", event.event_id());
  absl::StrAppendFormat(&line, " sequence=%u attempt=%u", event.sequence(), context.attempt());
  if (!event.source().empty()) Append(line, "source", event.source());
  AppendPayload(line, event);
  if (!context.replay_id().empty()) Append(line, "replay_id", context.replay_id());
  if (context.dry_run()) line += " dry_run=true";
  return line;
}

}  // namespace pvebus::hooks
