#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/struct.pb.h"

namespace pvebus::events {

// Private to sdk/events: text <-> JSON tree <-> protobuf Value. Any thread.

// EVENT_JSON_INVALID.
absl::Status JsonError(std::string_view message);

// What is wrong and where, with line and column. Refuses repeated keys, which the library would drop in silence.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view text);

// `path` names the place in errors, for example `changes[0].new_config`.
absl::StatusOr<google::protobuf::Value> ValueFromJson(const nlohmann::json& json, std::string_view path);
absl::StatusOr<google::protobuf::Struct> StructFromJson(const nlohmann::json& json, std::string_view path);
nlohmann::json JsonFromValue(const google::protobuf::Value& value);

// What was found, for errors: its kind and, when that is short, its text.
std::string Found(const nlohmann::json& json);

}  // namespace pvebus::events
