#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/storage_store.h"
#include "storage-service/core/storage_vlan.h"

namespace pvebus::storage {

// What was done about one VLAN.
struct VlanReport {
  enum class Outcome { kChanged, kUnchanged, kFailed, kDryRun };
  std::string storage_id;
  std::string link;
  Outcome outcome = Outcome::kUnchanged;
  std::string before;   // for eyes: "missing", "mtu 1500, down, no address", as the plan saw it
  std::string after;    // as read back; of a dry run as it would be
  std::string message;  // what was done ("created vmbr0.100, ..."), would be done, or why it failed
  absl::Status status;  // of kFailed: why
  bool link_created = false;
};

// How a VLAN stands, compared with the kernel.
struct VlanStatus {
  StorageVlanRecord record;
  bool in_order = false;
  std::string findings;    // for eyes: what differs; empty when in order
  bool contested = false;  // somebody keeps deleting it: not repaired by itself any more
};

// The VLANs of storages: defined by operators, kept durably, made and put right in the kernel. Changes run one after the other.
// Owned by main. Any thread; calls block for the kernel and the disk, not for the network.
class StorageVlanManager {
 public:
  // Requires: all of them outlive it. `on_notice` is called, without a lock, when there are new notices.
  StorageVlanManager(KernelNetwork& network, LinkIsolation& isolation, StorageStore& store, const Clock& clock,
                     std::function<void()> on_notice);

  // What was begun before this process is finished or taken back. Call first.
  absl::Status Restore();

  // Defines it and makes it. The same definition again: as Reconcile. Nothing is left when it fails. INVALID_ARGUMENT as
  // CheckStorageVlan; ALREADY_EXISTS VLAN_EXISTS: the storage has another definition, or the link is another storage's (both
  // sides named); NOT_FOUND BASE_MISSING; FAILED_PRECONDITION VLAN_CONFLICT: a link of this name is something else (both sides
  // named), MTU_EXCEEDS_BASE, and KernelNetwork's. `dry_run` says what would be done.
  absl::StatusOr<VlanReport> Create(const StorageVlan& vlan, bool dry_run, std::string_view parent_event_id = {});
  // Takes away what we made of it, and the definition. What was adopted stays, and the message says so. NOT_FOUND VLAN_NOT_FOUND.
  absl::StatusOr<VlanReport> Delete(const std::string& storage_id, bool dry_run);
  // Compares with the kernel and puts right; all when `storage_id` is empty. NOT_FOUND VLAN_NOT_FOUND; failures are in the
  // reports.
  absl::StatusOr<std::vector<VlanReport>> Reconcile(const std::string& storage_id, bool dry_run,
                                                    std::string_view parent_event_id = {});
  absl::StatusOr<std::vector<VlanStatus>> List();

  // The kernel said that these links changed, came or went: those of ours are put right, with a limit (RepairBudget) so that two
  // who disagree do not loop. An operator's or an event's Reconcile gives the budget back.
  std::vector<VlanReport> OnLinksChanged();
};

}  // namespace pvebus::storage
