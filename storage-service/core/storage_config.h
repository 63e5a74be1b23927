#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage-service/core/storage_endpoints.h"

namespace pvebus::storage {

// One storage as Proxmox VE 8 understands it, its defaults filled in. Strings have the bytes of the file: they may be no UTF-8.
struct Storage {
  std::string storage_id;
  std::string type;
  bool network = false;  // of a type that reaches a server
  bool enabled = true;
  bool shared = false;
  std::vector<std::string> contents;
  std::optional<std::vector<std::string>> nodes;  // where it exists; none: everywhere
  std::vector<Endpoint> endpoints;
  PropertyValues properties;  // the others; never a secret

  bool operator==(const Storage&) const = default;
};

// What Proxmox VE does not take from the file, or takes in a way that its author may not expect. Valid UTF-8.
struct StorageWarning {
  size_t line = 0;         // 0: of the whole file
  std::string storage_id;  // empty: of no section
  std::string message;     // what is wrong and what would be right
  bool section_skipped = false;
};

struct StorageConfig {
  std::vector<Storage> storages;         // in the order of the file
  std::vector<StorageWarning> warnings;  // by line; at most kMostWarnings and one that counts the rest
};

inline constexpr size_t kMostWarnings = 1000;

// Understands the text of /etc/pve/storage.cfg. Takes any bytes, in time and memory proportional to their number. Does not
// invent the storage `local`, which Proxmox VE has even when the file does not. Pure; any thread.
StorageConfig ParseStorageConfig(std::string_view text);

}  // namespace pvebus::storage
