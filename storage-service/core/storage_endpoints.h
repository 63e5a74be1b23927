#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage-service/core/storage_types.h"

namespace pvebus::storage {

using PropertyValues = std::map<std::string, std::string, std::less<>>;

// Where a server of a storage listens.
struct Endpoint {
  std::string host;              // IPv6 without brackets
  std::optional<uint16_t> port;  // none: a Ceph monitor whose port is not given, the client tries 3300 and 6789

  bool operator==(const Endpoint&) const = default;
};

// Of a storage of this type with these properties, Proxmox VE's default port where none is given. What has no possible port is
// left out. Pure; any thread.
std::vector<Endpoint> EndpointsOf(const StorageType& type, const PropertyValues& properties);

}  // namespace pvebus::storage
