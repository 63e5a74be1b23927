#include "sdk/events/json_fields.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/nearest.h"
#include "sdk/events/json_value.h"

namespace pvebus::events {

using nlohmann::json;

absl::Status Fields::OnlyThese(const std::vector<std::string>& allowed) const {
  for (const auto& [key, value] : object_.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    return JsonError(
        absl::StrFormat("unknown key '%s%s'%s; allowed: %s", path_, key, DidYouMean(key, allowed), absl::StrJoin(allowed, ", ")));
  }
  return absl::OkStatus();
}

const json* Fields::Find(const std::string& key) const {
  const auto it = object_.find(key);
  return it == object_.end() ? nullptr : &*it;
}

absl::StatusOr<std::string> Fields::String(const std::string& key, std::string_view expected) const {
  const json* value = Find(key);
  if (value == nullptr) return Missing(key, expected);
  if (!value->is_string()) return Wrong(key, *value, expected);
  return value->get<std::string>();
}

absl::Status Fields::Missing(const std::string& key, std::string_view expected) const {
  return JsonError(absl::StrFormat("%s%s: missing, expected %s", path_, key, expected));
}

absl::Status Fields::Wrong(const std::string& key, const json& found, std::string_view expected) const {
  return JsonError(absl::StrFormat("%s%s: found %s, expected %s", path_, key, Found(found), expected));
}

absl::Status Fields::About(const std::string& key, const absl::Status& status) const {
  const absl::string_view message = status.message();
  return JsonError(absl::StrFormat("%s%s: %s", path_, key, message));
}

}  // namespace pvebus::events
