#include "sdk/events/event_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/events/event_tree.h"
#include "sdk/events/json_fields.h"
#include "sdk/events/json_value.h"
#include "sdk/events/names.h"

namespace pvebus::events {
namespace {

using event::v1::SystemEvent;
using nlohmann::json;

constexpr int64_t kMinContainerId = 100;
constexpr int64_t kMaxContainerId = 999'999'999;

absl::Status ReadConfig(const Fields& fields, const std::string& key, event::v1::ConfigChange& change) {
  const json* config = fields.Find(key);
  if (config == nullptr || config->is_null()) return absl::OkStatus();
  absl::StatusOr<google::protobuf::Value> value = ValueFromJson(*config, fields.Path(key));
  if (!value.ok()) return value.status();
  *(key == "old_config" ? change.mutable_old_config() : change.mutable_new_config()) = *std::move(value);
  return absl::OkStatus();
}

absl::Status ReadChange(const json& object, size_t index, event::v1::ConfigChange& change) {
  const std::string path = absl::StrFormat("changes[%d]", index);
  if (!object.is_object()) return JsonError(absl::StrFormat("%s: found %s, expected an object", path, Found(object)));
  const Fields fields(object, path + ".");
  if (absl::Status status = fields.OnlyThese({"change_type", "target", "old_config", "new_config", "description"});
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<std::string> type_name = fields.String("change_type", "one of " + absl::StrJoin(ChangeTypeNames(), ", "));
  if (!type_name.ok()) return type_name.status();
  const absl::StatusOr<event::v1::ChangeType> type = ParseChangeType(*type_name);
  if (!type.ok()) return fields.About("change_type", type.status());
  change.set_change_type(*type);
  const absl::StatusOr<std::string> target = fields.String("target", "the name of an interface");
  if (!target.ok()) return target.status();
  change.set_target(*target);
  for (const char* key : {"old_config", "new_config"}) {
    if (absl::Status status = ReadConfig(fields, key, change); !status.ok()) return status;
  }
  if (fields.Find("description") != nullptr) {
    const absl::StatusOr<std::string> description = fields.String("description", "a string");
    if (!description.ok()) return description.status();
    change.set_description(*description);
  }
  return absl::OkStatus();
}

absl::Status ReadNetworkApplied(const Fields& fields, SystemEvent& event) {
  if (absl::Status status = fields.OnlyThese({"event", "changes"}); !status.ok()) return status;
  const json* changes = fields.Find("changes");
  if (changes == nullptr) return fields.Missing("changes", "a list of changes");
  if (!changes->is_array()) return fields.Wrong("changes", *changes, "a list of changes");
  if (changes->empty()) return JsonError("changes: found an empty list, expected at least one change");
  for (size_t i = 0; i < changes->size(); ++i) {
    absl::Status status = ReadChange((*changes)[i], i, *event.mutable_network_applied()->add_changes());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadContainerStarted(const Fields& fields, SystemEvent& event) {
  if (absl::Status status = fields.OnlyThese({"event", "id"}); !status.ok()) return status;
  const std::string expected = absl::StrFormat("a container's id, an integer %d..%d", kMinContainerId, kMaxContainerId);
  const json* id = fields.Find("id");
  if (id == nullptr) return fields.Missing("id", expected);
  // A double first: a huge unsigned number would otherwise wrap into the range.
  const bool in_range = id->is_number_integer() && id->get<double>() >= kMinContainerId && id->get<double>() <= kMaxContainerId;
  if (!in_range) return fields.Wrong("id", *id, expected);
  event.mutable_container_started()->set_id(id->get<uint32_t>());
  return absl::OkStatus();
}

absl::Status ReadStorageVlanCreated(const Fields& fields, SystemEvent& event) {
  if (absl::Status status = fields.OnlyThese({"event", "id"}); !status.ok()) return status;
  const absl::StatusOr<std::string> id = fields.String("id", "a storage's id, a string");
  if (!id.ok()) return id.status();
  event.mutable_storage_vlan_created()->set_id(*id);
  return absl::OkStatus();
}

absl::Status ReadMigrationPhaseChanged(const Fields& fields, SystemEvent& event) {
  if (absl::Status status = fields.OnlyThese({"event", "phase"}); !status.ok()) return status;
  const absl::StatusOr<std::string> name = fields.String("phase", "one of " + absl::StrJoin(MigrationPhaseNames(), ", "));
  if (!name.ok()) return name.status();
  const absl::StatusOr<event::v1::MigrationPhase> phase = ParseMigrationPhase(*name);
  if (!phase.ok()) return fields.About("phase", phase.status());
  event.mutable_migration_phase_changed()->set_phase(*phase);
  return absl::OkStatus();
}

absl::Status ReadCustom(const Fields& fields, SystemEvent& event) {
  if (absl::Status status = fields.OnlyThese({"event", "name", "data"}); !status.ok()) return status;
  const absl::StatusOr<std::string> name = fields.String("name", "the name of the event");
  if (!name.ok()) return name.status();
  event.mutable_custom()->set_name(*name);
  const json* data = fields.Find("data");
  if (data == nullptr || data->is_null()) return absl::OkStatus();
  absl::StatusOr<google::protobuf::Struct> content = StructFromJson(*data, "data");
  if (!content.ok()) return content.status();
  event.mutable_custom()->mutable_data()->swap(*content->mutable_fields());
  return absl::OkStatus();
}

nlohmann::ordered_json ConfigToJson(bool present, const google::protobuf::Value& config) {
  return present ? nlohmann::ordered_json(JsonFromValue(config)) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json ChangeToJson(const event::v1::ConfigChange& change) {
  return {{"change_type", std::string(ChangeTypeName(change.change_type()))},
          {"target", change.target()},
          {"old_config", ConfigToJson(change.has_old_config(), change.old_config())},
          {"new_config", ConfigToJson(change.has_new_config(), change.new_config())},
          {"description", change.description()}};
}

}  // namespace

std::string EventToJson(const SystemEvent& event) {
  nlohmann::ordered_json object = {{"event", std::string(EventTypeName(TypeOf(event)))}};
  switch (event.payload_case()) {
    case SystemEvent::kNetworkApplied:
      object["changes"] = nlohmann::ordered_json::array();
      for (const auto& change : event.network_applied().changes()) object["changes"].push_back(ChangeToJson(change));
      break;
    case SystemEvent::kContainerStarted:
      object["id"] = event.container_started().id();
      break;
    case SystemEvent::kStorageVlanCreated:
      object["id"] = event.storage_vlan_created().id();
      break;
    case SystemEvent::kMigrationPhaseChanged:
      object["phase"] = std::string(MigrationPhaseName(event.migration_phase_changed().phase()));
      break;
    case SystemEvent::kCustom: {
      json data = json::object();
      for (const auto& [key, value] : event.custom().data()) data[key] = JsonFromValue(value);
      object["name"] = event.custom().name();
      object["data"] = data;
      break;
    }
    case SystemEvent::PAYLOAD_NOT_SET:
      break;
  }
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

absl::StatusOr<SystemEvent> EventFromJson(std::string_view text) {
  const absl::StatusOr<json> tree = ParseJson(text);
  if (!tree.ok()) return tree.status();
  return EventFromTree(*tree);
}

absl::StatusOr<SystemEvent> EventFromTree(const json& tree) {
  if (!tree.is_object()) {
    return JsonError(
        absl::StrFormat("found %s, expected an object such as {\"event\":\"container_started\",\"id\":101}", Found(tree)));
  }
  const Fields fields(tree, "");
  const absl::StatusOr<std::string> name = fields.String("event", "one of " + absl::StrJoin(EventTypeNames(), ", "));
  if (!name.ok()) return name.status();
  const absl::StatusOr<event::v1::EventType> type = ParseEventType(*name);
  if (!type.ok()) return fields.About("event", type.status());

  using Reader = absl::Status (*)(const Fields&, SystemEvent&);
  // In the order of EventType.
  static constexpr Reader kReaders[] = {ReadNetworkApplied, ReadContainerStarted, ReadStorageVlanCreated,
                                        ReadMigrationPhaseChanged, ReadCustom};
  SystemEvent event;
  absl::Status status = kReaders[*type - 1](fields, event);
  if (!status.ok()) return status;
  return event;
}

absl::StatusOr<google::protobuf::Struct> ObjectFromJson(std::string_view text, std::string_view field) {
  const absl::StatusOr<json> tree = ParseJson(text);
  if (!tree.ok()) return JsonError(absl::StrFormat("%s: %s", field, std::string(tree.status().message())));
  return StructFromJson(*tree, field);
}

}  // namespace pvebus::events
