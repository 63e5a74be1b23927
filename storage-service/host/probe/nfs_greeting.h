#pragma once

#include "storage-service/core/storage_config.h"
#include "storage-service/host/probe/probe_target.h"

namespace pvebus::storage {

// The RPC call NULL of NFS, which does nothing: a server that lives answers it with whatever reply. Proxmox VE asks in this way,
// too. The version is the one that the mount options ask for. Pure; any thread.
Greeting NfsGreeting(const Storage& storage);

}  // namespace pvebus::storage
