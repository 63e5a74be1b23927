#include "sdk/pve/running_sdn.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::pve {
namespace {

using Json = nlohmann::json;

// pmxcfs holds no larger files than 1 MiB.
constexpr size_t kMostBytes = 16 << 20;

absl::Status Invalid(const std::string& why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "SDN_CONFIG_INVALID",
                   absl::StrFormat("the running SDN configuration is damaged: %s", why));
}

absl::Status Unreadable(const std::string& path, const std::string& why) {
  return MakeError(absl::StatusCode::kNotFound, "SDN_CONFIG_UNREADABLE", absl::StrFormat("cannot read '%s': %s", path, why));
}

// Proxmox VE writes numbers as numbers or as text, as they came.
std::optional<uint32_t> NumberIn(const Json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end()) return std::nullopt;
  if (value->is_number_unsigned() && value->get<uint64_t>() <= UINT32_MAX) return value->get<uint32_t>();
  if (!value->is_string()) return std::nullopt;
  const auto& text = value->get_ref<const std::string&>();
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> TextIn(const Json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

// What is under NAME.ids; an empty object when there is nothing.
absl::StatusOr<Json> IdsOf(const Json& document, const char* name) {
  const auto section = document.find(name);
  if (section == document.end() || section->is_null()) return Json::object();
  if (!section->is_object()) return Invalid(absl::StrFormat("'%s' is no object", name));
  const auto ids = section->find("ids");
  if (ids == section->end() || ids->is_null()) return Json::object();
  if (!ids->is_object()) return Invalid(absl::StrFormat("'%s.ids' is no object", name));
  return *ids;
}

Vnet VnetOf(const Json& vnet, const Json& zones) {
  Vnet result{
      .zone = TextIn(vnet, "zone").value_or(""), .tag = NumberIn(vnet, "tag"), .vlan_aware = NumberIn(vnet, "vlanaware") == 1};
  const auto zone = zones.find(result.zone);
  if (zone == zones.end() || !zone->is_object()) return result;
  result.zone_type = TextIn(*zone, "type").value_or("");
  result.zone_bridge = TextIn(*zone, "bridge");
  result.zone_mtu = NumberIn(*zone, "mtu");
  return result;
}

absl::StatusOr<Json> ParseDocument(std::string_view text) {
  Json document;
  try {
    document = Json::parse(text);
  } catch (const Json::exception& error) {
    return Invalid(error.what());
  }
  if (!document.is_object()) return Invalid("it is no JSON object");
  return document;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char buffer[65536];
  while (file.read(buffer, sizeof(buffer)) || file.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(file.gcount()));
    if (text.size() > kMostBytes) return Unreadable(path, absl::StrFormat("it has more than %d bytes", kMostBytes));
  }
  if (!file.eof()) return Unreadable(path, std::strerror(errno));
  return text;
}

}  // namespace

absl::StatusOr<Vnets> ParseRunningSdn(std::string_view json) {
  const auto document = ParseDocument(json);
  if (!document.ok()) return document.status();
  const auto vnets = IdsOf(*document, "vnets");
  if (!vnets.ok()) return vnets.status();
  const auto zones = IdsOf(*document, "zones");
  if (!zones.ok()) return zones.status();
  Vnets result;
  for (const auto& [name, vnet] : vnets->items()) {
    if (vnet.is_object()) result.emplace(name, VnetOf(vnet, *zones));
  }
  return result;
}

absl::StatusOr<Vnets> ReadRunningSdn(const std::string& directory) {
  const std::string path = directory + "/.running-config";
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::not_found) return Vnets();
  // To open a pipe would wait.
  if (type != std::filesystem::file_type::regular) return Unreadable(path, error ? error.message() : "it is no file");
  const auto text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ParseRunningSdn(*text);
}

}  // namespace pvebus::pve
