#pragma once

#include <string>
#include <vector>

#include "storage-service/core/storage_config.h"
#include "storage-service/host/probe/mount_table.h"

namespace pvebus::storage {

// Where Proxmox VE has the storage mounted; empty: it is not of a kind that is mounted. Pure; any thread.
std::string MountPointOf(const Storage& storage);

// Whether it is, by Proxmox VE's rules: the source of the mount must be the storage's, too. Pure; any thread.
bool IsMounted(const Storage& storage, const std::vector<Mount>& mounts);

}  // namespace pvebus::storage
