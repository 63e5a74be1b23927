#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/storage_vlan.h"
#include "storage-service/core/vlan_step.h"

namespace pvebus::storage {

// What the kernel has that concerns the VLAN.
absl::StatusOr<VlanState> ReadVlanState(NetworkSnapshot network, LinkIsolation& isolation, const StorageVlan& vlan);
absl::StatusOr<VlanState> ReadVlanState(KernelNetwork& network, LinkIsolation& isolation, const StorageVlan& vlan);

// Steps that are done in the kernel, and taken back when one of them fails. One thread; it ends with the operation.
class VlanTransaction {
 public:
  // Requires: all of them outlive it.
  VlanTransaction(KernelNetwork& network, LinkIsolation& isolation, const StorageVlan& vlan)
      : network_(network), isolation_(isolation), vlan_(vlan) {}

  // Up to the first that fails; its error names the step. What is gone already counts as taken away.
  absl::Status Apply(const std::vector<VlanStep>& steps);
  // Takes back what was done, in reverse; goes on where something fails. The error names what is left.
  absl::Status Undo();
  // Whether there is something to take back.
  bool touched() const { return !done_.empty(); }

 private:
  absl::Status Do(const VlanStep& step);

  KernelNetwork& network_;
  LinkIsolation& isolation_;
  const StorageVlan& vlan_;
  std::vector<VlanStep> done_;
};

}  // namespace pvebus::storage
