#include "storage-service/core/testing/soundness.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"
#include "storage-service/core/storage_types.h"
#include "storage-service/core/storage_values.h"

namespace pvebus::storage {
namespace {

constexpr size_t kLongestMessage = 600;
constexpr size_t kFilledIn = 20;  // bytes of a storage that no file has: "/mnt/pve/", "none", a default port

bool IsUtf8(const std::string& text) { return CleanUtf8(text, text.size()) == text; }

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

size_t SizeOf(const Storage& storage) {
  size_t bytes = storage.storage_id.size();
  for (const std::string& node : storage.nodes.value_or(std::vector<std::string>())) bytes += node.size();
  for (const Endpoint& endpoint : storage.endpoints) bytes += endpoint.host.size();
  for (const auto& [name, value] : storage.properties) bytes += value.size();
  return bytes;
}

std::string WhyUnsound(const Storage& storage) {
  if (!IsStorageId(storage.storage_id)) return absl::StrFormat("'%s' is no id", storage.storage_id);
  const StorageType* type = FindStorageType(storage.type);
  if (type == nullptr) return absl::StrFormat("'%s' is no type", storage.type);
  if (storage.network != type->network()) return absl::StrFormat("%s: network is not that of its type", storage.storage_id);
  if (storage.contents.size() > type->contents.size()) return absl::StrFormat("%s: a content is there twice", storage.storage_id);
  for (const auto& [name, value] : storage.properties) {
    const Property* property = type->Find(name);
    if (property == nullptr) return absl::StrFormat("%s: type %s has no '%s'", storage.storage_id, storage.type, name);
    if (property->kind == PropertyKind::kSecret) return absl::StrFormat("%s: '%s' is given out", storage.storage_id, name);
  }
  for (const Endpoint& endpoint : storage.endpoints) {
    if (endpoint.host.empty() || endpoint.port == 0)
      return absl::StrFormat("%s: an endpoint without host or port", storage.storage_id);
  }
  return "";
}

std::string WhyUnsound(const StorageWarning& warning) {
  if (warning.message.empty()) return "a warning says nothing";
  if (!IsUtf8(warning.message) || !IsUtf8(warning.storage_id)) return "a warning is no UTF-8: " + warning.message;
  if (warning.message.size() > kLongestMessage) return "a warning is too long: " + warning.message;
  return "";
}

// "password SECRET", "keyring=SECRET", "password: SECRET": all that stands behind such a name.
bool StandsBehindSecretName(std::string_view line, size_t at) {
  while (!line.empty() && absl::ascii_isspace(static_cast<unsigned char>(line.front()))) {
    line.remove_prefix(1);
    if (at-- == 0) return false;
  }
  const std::string_view name = NameIn(line);
  return name.size() <= at && name.size() < 100 && IsSecretName(name);
}

bool SecretsStandOnlyWhereTheyBelong(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    for (size_t at = line.find(kSecretOfTests); at != std::string_view::npos; at = line.find(kSecretOfTests, at + 1)) {
      if (!StandsBehindSecretName(line, at)) return false;
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return true;
}

bool GivesOutSecret(const StorageConfig& config) {
  for (const StorageWarning& warning : config.warnings) {
    if (Has(warning.message, kSecretOfTests) || Has(warning.storage_id, kSecretOfTests)) return true;
  }
  for (const Storage& storage : config.storages) {
    for (const Endpoint& endpoint : storage.endpoints) {
      if (Has(endpoint.host, kSecretOfTests)) return true;
    }
    for (const auto& [name, value] : storage.properties) {
      if (Has(value, kSecretOfTests)) return true;
    }
    if (Has(storage.storage_id, kSecretOfTests)) return true;
  }
  return false;
}

}  // namespace

std::string WhyUnsound(const StorageConfig& config, std::string_view text) {
  size_t bytes = 0;
  for (const Storage& storage : config.storages) {
    if (std::string why = WhyUnsound(storage); !why.empty()) return why;
    bytes += SizeOf(storage);
  }
  // Of each value at most the property, its list and what a path adds: a default path repeats the id.
  if (bytes > 3 * text.size() + kFilledIn * config.storages.size()) {
    return absl::StrFormat("%d bytes became %d", text.size(), bytes);
  }
  if (config.warnings.size() > kMostWarnings + 1) return absl::StrFormat("%d warnings", config.warnings.size());
  for (const StorageWarning& warning : config.warnings) {
    if (std::string why = WhyUnsound(warning); !why.empty()) return why;
  }
  return SecretsStandOnlyWhereTheyBelong(text) && GivesOutSecret(config) ? "a secret comes out" : "";
}

}  // namespace pvebus::storage
