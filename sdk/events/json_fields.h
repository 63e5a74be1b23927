#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pvebus::events {

// Private to sdk/events: the fields of one JSON object, and the errors about them, EVENT_JSON_INVALID. One thread.
class Fields {
 public:
  // `path` names the object in errors: "" for the whole, else ends with a dot. Requires: `object` is one, and outlives this.
  Fields(const nlohmann::json& object, std::string path) : object_(object), path_(std::move(path)) {}

  absl::Status OnlyThese(const std::vector<std::string>& allowed) const;
  // Null when it is not there.
  const nlohmann::json* Find(const std::string& key) const;
  absl::StatusOr<std::string> String(const std::string& key, std::string_view expected) const;

  absl::Status Missing(const std::string& key, std::string_view expected) const;
  absl::Status Wrong(const std::string& key, const nlohmann::json& found, std::string_view expected) const;
  // `status` is about the value of `key`.
  absl::Status About(const std::string& key, const absl::Status& status) const;
  std::string Path(const std::string& key) const { return path_ + key; }

 private:
  const nlohmann::json& object_;
  const std::string path_;
};

}  // namespace pvebus::events
