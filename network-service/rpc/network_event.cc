#include "network-service/rpc/network_event.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "network-service/core/printed_interfaces.h"
#include "network-service/core/program_output.h"
#include "network-service/json/network_json.h"
#include "sdk/base/utf8.h"
#include "sdk/events/event_json.h"

namespace pvebus::network {
namespace {

using event::v1::SystemEvent;
using Changes = google::protobuf::RepeatedPtrField<event::v1::ConfigChange>;

constexpr size_t kMostChanges = 10'000;
// The bus takes events of up to 1 MiB.
constexpr size_t kMostBytes = 900'000;
constexpr size_t kMostTargetBytes = 64;
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

// Nothing when it cannot be said.
std::optional<google::protobuf::Struct> ConfigOf(const Interface& interface) {
  const std::string json = ToDocument(interface).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  auto object = events::ObjectFromJson(json, "config");
  // Names that are no UTF-8 may have become the same: of those the last one stays.
  if (!object.ok()) object = events::ObjectFromJson(nlohmann::json::parse(json, nullptr, false).dump(), "config");
  return object.ok() ? std::optional(*std::move(object)) : std::nullopt;
}

event::v1::ConfigChange ToProto(const ConfigChange& change, bool with_configs) {
  event::v1::ConfigChange proto;
  proto.set_change_type(TypeOf(change.type));
  proto.set_target(CleanUtf8(change.target, kMostTargetBytes));
  proto.set_description(CleanUtf8(change.description, kMostDescriptionBytes));
  if (!with_configs) return proto;
  const auto old_config = change.old_config ? ConfigOf(*change.old_config) : std::nullopt;
  const auto new_config = change.new_config ? ConfigOf(*change.new_config) : std::nullopt;
  if (old_config) *proto.mutable_old_config()->mutable_struct_value() = *old_config;
  if (new_config) *proto.mutable_new_config()->mutable_struct_value() = *new_config;
  return proto;
}

// The first ones, as many as an event has room for.
Changes FirstOf(const std::vector<ConfigChange>& changes, size_t count, bool with_configs) {
  Changes protos;
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    event::v1::ConfigChange proto = ToProto(changes[i], with_configs);
    bytes += proto.ByteSizeLong();
    if (bytes > kMostBytes) break;
    *protos.Add() = std::move(proto);
  }
  return protos;
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
  const size_t count = std::min(changes.size(), kMostChanges);
  Changes protos = FirstOf(changes, count, true);
  if (static_cast<size_t>(protos.size()) == count) return protos;
  return FirstOf(changes, count, false);
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
