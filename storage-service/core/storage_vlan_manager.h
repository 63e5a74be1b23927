#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/repair_budget.h"
#include "storage-service/core/storage_store.h"
#include "storage-service/core/storage_vlan.h"
#include "storage-service/core/vlan_builder.h"
#include "storage-service/core/vlan_report.h"

namespace pvebus::storage {

// How a VLAN stands, compared with the kernel.
struct VlanStatus {
  StorageVlanRecord record;
  bool in_order = false;
  std::string findings;    // for eyes: what differs; empty when in order
  bool adopted = false;    // the link is there, and we did not make it
  bool contested = false;  // somebody keeps deleting it: not repaired by itself any more
};

// The VLANs of storages: defined by operators, kept durably, made and put right in the kernel. Changes run one after the other.
// Owned by main. Any thread; calls block for the kernel and the disk, not for the network.
class StorageVlanManager {
 public:
  // Requires: all of them outlive it. `on_notice` is called, without a lock, when there are new notices.
  StorageVlanManager(KernelNetwork& network, LinkIsolation& isolation, StorageStore& store, const Clock& clock,
                     std::function<void()> on_notice);

  // What was begun before this process is finished or taken back. Call first. An error is the first of those that stay
  // unfinished; the service can go on with them: List shows them, and they are tried again.
  absl::Status Restore() ABSL_LOCKS_EXCLUDED(changing_);

  // Defines it and makes it. The same definition again: as Reconcile. Nothing is left when it fails. INVALID_ARGUMENT as
  // CheckStorageVlan; ALREADY_EXISTS VLAN_EXISTS: the storage has another definition, or the link is another storage's (both
  // sides named); NOT_FOUND BASE_MISSING; FAILED_PRECONDITION VLAN_CONFLICT: a link of this name is something else (both sides
  // named), MTU_EXCEEDS_BASE, VLAN_DELETING, and KernelNetwork's; ABORTED VLAN_NOT_IN_PLACE. `dry_run` says what would be done.
  absl::StatusOr<VlanReport> Create(const StorageVlan& vlan, bool dry_run, std::string_view parent_event_id = {})
      ABSL_LOCKS_EXCLUDED(changing_);
  // Takes away what we made of it, and the definition. What was adopted stays, and the message says so. What the kernel refuses
  // to let go is kept, for another Delete. NOT_FOUND VLAN_NOT_FOUND; FAILED_PRECONDITION VLAN_IN_USE: another storage's VLAN
  // rides on it.
  absl::StatusOr<VlanReport> Delete(const std::string& storage_id, bool dry_run) ABSL_LOCKS_EXCLUDED(changing_);
  // Compares with the kernel and puts right; all when `storage_id` is empty. NOT_FOUND VLAN_NOT_FOUND; failures are in the
  // reports.
  absl::StatusOr<std::vector<VlanReport>> Reconcile(const std::string& storage_id, bool dry_run,
                                                    std::string_view parent_event_id = {}) ABSL_LOCKS_EXCLUDED(changing_);
  // Does not wait for changes.
  absl::StatusOr<std::vector<VlanStatus>> List();

  // The kernel said that links changed, came or went: VLANs of ours are put right, with a limit (RepairBudget) so that two who
  // disagree do not loop. An operator's or an event's Reconcile gives the budget back. Says what changed or failed, a failure
  // that lasts only once; a base that is missing is none, it may come back. A report without a storage: that nothing could be
  // read.
  std::vector<VlanReport> OnLinksChanged() ABSL_LOCKS_EXCLUDED(changing_);

 private:
  absl::Status RestoreNow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  // With what Creates before have left cleared up where that is possible.
  absl::StatusOr<std::vector<StorageVlanRecord>> Records() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  VlanReport CreateNow(const StorageVlan& vlan, bool dry_run, std::string_view parent_event_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  VlanReport DeleteNow(const std::string& storage_id, bool dry_run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  absl::StatusOr<std::vector<VlanReport>> ReconcileNow(const std::string& storage_id, bool dry_run,
                                                       std::string_view parent_event_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  VlanReport ReconcileOne(const StorageVlanRecord& record, bool dry_run, std::string_view parent_event_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  std::vector<VlanReport> RepairNow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  VlanReport Repair(const StorageVlanRecord& record, const NetworkSnapshot& network) ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  // Whether somebody should hear of it.
  bool IsNews(const VlanReport& report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);
  VlanStatus Judge(const StorageVlanRecord& record, const absl::StatusOr<NetworkSnapshot>& network);

  KernelNetwork& network_;
  LinkIsolation& isolation_;
  StorageStore& store_;
  const std::function<void()> on_notice_;
  RepairBudget budget_;

  Mutex changing_;  // only serialises changes: nobody who only looks waits for it
  VlanBuilder builder_ ABSL_GUARDED_BY(changing_);
  std::map<std::string, std::string> failures_ ABSL_GUARDED_BY(changing_);  // by storage: what was said unasked last
};

}  // namespace pvebus::storage
