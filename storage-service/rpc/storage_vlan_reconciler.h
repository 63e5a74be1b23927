#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/hooks/hook_chain.h"
#include "storage-service/core/storage_vlan_manager.h"

namespace pvebus::storage {

// What the hook `storage-vlan-reconciler` works with. Any thread.
struct VlanReconciliation {
  // StorageVlanManager::Reconcile for all VLANs.
  std::function<absl::StatusOr<std::vector<VlanReport>>(bool dry_run, const std::string& parent_event_id)> reconcile;
  // Publishes what is new now, waiting a little for it (Outbox::PublishNow).
  std::function<absl::Status(std::stop_token stop)> announce;
};

// The hook `storage-vlan-reconciler`: when the network was applied, every VLAN that is defined is compared with the kernel and
// put right; a detail tells of each. A link that came into being is published before the hook ends, caused by the event.
hooks::Hook StorageVlanReconciler(VlanReconciliation reconciliation);

}  // namespace pvebus::storage
