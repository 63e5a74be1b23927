#include "network-service/rpc/network_event.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "network-service/core/printed_interfaces.h"
#include "network-service/core/program_output.h"
#include "network-service/json/network_json.h"
#include "sdk/base/utf8.h"
#include "sdk/events/event_json.h"

namespace pvebus::network {
namespace {

using event::v1::SystemEvent;

constexpr size_t kMostChanges = 10'000;
// The bus takes events of up to 1 MiB.
constexpr size_t kMostBytes = 900'000;
constexpr size_t kMostDescriptionBytes = 1024;
constexpr size_t kMostTextBytes = 4096;

event::v1::ChangeType TypeOf(ChangeType type) {
  switch (type) {
    case ChangeType::kDelete:
      return event::v1::CHANGE_TYPE_DELETE;
    case ChangeType::kUpdate:
      return event::v1::CHANGE_TYPE_UPDATE;
    case ChangeType::kCreate:
      return event::v1::CHANGE_TYPE_CREATE;
  }
  return event::v1::CHANGE_TYPE_UNSPECIFIED;
}

void SetConfig(const Interface& interface, google::protobuf::Value& value) {
  const std::string json = ToDocument(interface).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  auto object = events::ObjectFromJson(json, "config");
  if (object.ok()) *value.mutable_struct_value() = *std::move(object);
}

google::protobuf::Value& Field(event::v1::Custom& custom, const std::string& name) { return (*custom.mutable_data())[name]; }

void Set(event::v1::Custom& custom, const std::string& name, std::string_view text) {
  Field(custom, name).set_string_value(CleanUtf8(text, kMostTextBytes));
}

void SetFailed(const ApplyRecord& record, SystemEvent& event) {
  event::v1::Custom& custom = *event.mutable_custom();
  custom.set_name(NameOf(NoticeKind::kFailed));
  Set(custom, "apply_id", record.apply_id);
  Set(custom, "state", NameOf(record.state));
  Set(custom, "reason", record.failure.reason);
  Set(custom, "message", record.failure.message);
  Set(custom, "operator_reason", record.reason);
  Field(custom, "old_configuration_restored").set_bool_value(record.state != ApplyState::kUndoFailed);
  if (!record.reload) return;
  Field(custom, "reload_exit_code").set_number_value(record.reload->exit_code);
  Set(custom, "reload_output", EndOfOutput(*record.reload));
}

}  // namespace

google::protobuf::RepeatedPtrField<event::v1::ConfigChange> ToProto(const std::vector<ConfigChange>& changes) {
  google::protobuf::RepeatedPtrField<event::v1::ConfigChange> protos;
  size_t bytes = 0;
  for (const ConfigChange& change : changes) {
    if (protos.size() == static_cast<int>(kMostChanges)) break;
    event::v1::ConfigChange& proto = *protos.Add();
    proto.set_change_type(TypeOf(change.type));
    proto.set_target(CleanUtf8(change.target, change.target.size()));
    proto.set_description(CleanUtf8(change.description, kMostDescriptionBytes));
    if (change.old_config) SetConfig(*change.old_config, *proto.mutable_old_config());
    if (change.new_config) SetConfig(*change.new_config, *proto.mutable_new_config());
    bytes += proto.ByteSizeLong();
  }
  if (bytes <= kMostBytes) return protos;
  bytes = 0;
  for (event::v1::ConfigChange& proto : protos) {
    proto.clear_old_config();
    proto.clear_new_config();
    bytes += proto.ByteSizeLong();
  }
  while (bytes > kMostBytes) {
    bytes -= protos.Get(protos.size() - 1).ByteSizeLong();
    protos.RemoveLast();
  }
  return protos;
}

SystemEvent EventOf(NoticeKind kind, const ApplyRecord& record) {
  SystemEvent event;
  event.set_subject("network");
  event.set_ordering_key("network");
  (*event.mutable_attributes())["apply_id"] = record.apply_id;
  if (kind == NoticeKind::kFailed) {
    SetFailed(record, event);
    return event;
  }
  const bool back = kind == NoticeKind::kReverted;
  (*event.mutable_attributes())["apply_source"] = back ? "undo" : absl::AsciiStrToLower(NameOf(record.source));
  *event.mutable_network_applied()->mutable_changes() = ToProto(back ? ChangesBack(record) : ChangesOf(record));
  return event;
}

const char* NameOf(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kApplied:
      return "network_applied";
    case NoticeKind::kReverted:
      return "network_reverted";
    case NoticeKind::kFailed:
      return "network_apply_failed";
  }
  return "unknown";
}

}  // namespace pvebus::network
