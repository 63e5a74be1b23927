#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/storage_store.h"
#include "storage-service/core/storage_vlan.h"
#include "storage-service/core/vlan_plan.h"
#include "storage-service/core/vlan_report.h"
#include "storage-service/core/vlan_transaction.h"

namespace pvebus::storage {

// Makes one VLAN, puts it right, takes it away: the kernel and the record of it together, so that what a crash leaves can be told
// from the record. What is about to be made is written down before. Owned by StorageVlanManager; one thread at a time.
class VlanBuilder {
 public:
  // Requires: all of them outlive it.
  VlanBuilder(KernelNetwork& network, LinkIsolation& isolation, StorageStore& store, const Clock& clock)
      : network_(network), isolation_(isolation), store_(store), clock_(clock) {}

  // What PutRight (Define when it is new) would do.
  VlanReport Preview(const StorageVlan& vlan, bool is_new);
  // Makes it and its definition. Requires: it has none.
  VlanReport Define(const StorageVlan& vlan, std::string_view parent_event_id);
  // Requires: the record's phase is kDefined or kRecreating.
  VlanReport PutRight(const StorageVlanRecord& record, std::string_view parent_event_id);
  VlanReport PreviewRemoval(const StorageVlanRecord& record);
  // Takes away what is ours, then the definition.
  VlanReport TakeAway(const StorageVlanRecord& record);
  // Finishes or takes back what was begun. OK when nothing was.
  absl::Status Settle(const StorageVlanRecord& record);

  // Whether there are new notices since the last call.
  bool TakeNoticed();

 private:
  // The plan's steps; read back.
  absl::Status Build(const StorageVlan& vlan, const VlanPlan& plan, VlanTransaction& transaction, VlanReport& report);
  // `status` of why, with what could not be taken back.
  absl::Status Withdraw(StorageVlanRecord record, VlanTransaction& transaction, const absl::Status& status);
  absl::Status Restore(const StorageVlanRecord& before, const StorageVlanRecord& intent, VlanTransaction& transaction,
                       const absl::Status& status);
  // The link is gone: what was ours of it is not ours when somebody else makes another.
  void ForgetLink(const StorageVlanRecord& record, const NetworkSnapshot& network);
  absl::Status Remove(const StorageVlanRecord& record, bool tell, VlanReport& report);
  absl::Status Put(const StorageVlanRecord& record, const std::vector<Notice>& notices = {});
  Notice Told(Notice::Kind kind, const StorageVlan& vlan, std::string_view parent_event_id = {}) const;

  KernelNetwork& network_;
  LinkIsolation& isolation_;
  StorageStore& store_;
  const Clock& clock_;
  bool noticed_ = false;
};

}  // namespace pvebus::storage
