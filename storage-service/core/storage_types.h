#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::storage {

// What Proxmox VE 8 knows about each type of storage: its properties, contents and how it is reached. Constant; any thread.

enum class PropertyKind {
  kText,  // also values whose form nobody here depends on
  kSecret,
  kBoolean,
  kPath,
  kVolumeGroup,
  kServer,
  kPortal,
  kPortalList,
  kPort,
  kCount,           // a number from 0
  kCountOrNoLimit,  // or -1
  kContent,
  kNodes,
  kFormat,
  kPreallocation,
  kSmbVersion,
  kMountOptions,
  kFingerprint,
  kConfigId,
};

struct Property {
  std::string_view name;
  PropertyKind kind = PropertyKind::kText;
  bool required = false;
};

// Where the address of the server stands.
enum class Reach {
  kLocal,
  kServerWithMountOptions,  // `server`, and port= in `options`
  kServerWithPort,          // `server` and `port`
  kPortal,                  // `portal`
  kMonitors,                // `monhost`; without it the node's own Ceph cluster
};

struct StorageType {
  std::string_view name;
  Reach reach = Reach::kLocal;
  uint16_t default_port = 0;
  bool always_shared = false;
  bool default_path = false;  // /mnt/pve/<id>
  bool plain_path = false;    // `path` may have only letters, digits and -/_.@
  std::vector<std::string> contents;
  std::vector<std::string> default_contents;
  std::vector<std::string> formats;
  std::vector<Property> properties;

  bool network() const { return reach != Reach::kLocal; }
  // Null when the type has no such property.
  const Property* Find(std::string_view property) const;
  std::vector<std::string> PropertyNames() const;
};

const std::vector<StorageType>& StorageTypes();
// Null when there is none; upper and lower case are the same.
const StorageType* FindStorageType(std::string_view name);

// A name that says its value is nobody's business (password, keyring, ...), whether Proxmox VE knows it or not.
bool IsSecretName(std::string_view name);

}  // namespace pvebus::storage
