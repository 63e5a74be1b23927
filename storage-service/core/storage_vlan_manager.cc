#include "storage-service/core/storage_vlan_manager.h"

#include <algorithm>
#include <utility>

#include "storage-service/core/vlan_errors.h"
#include "storage-service/core/vlan_plan.h"

namespace pvebus::storage {
namespace {

using Outcome = VlanReport::Outcome;
using Phase = StorageVlanRecord::Phase;

VlanReport Failure(const std::string& storage_id, const absl::Status& status) {
  VlanReport report{.storage_id = storage_id};
  Fail(report, status);
  return report;
}

absl::StatusOr<VlanReport> StatusOrReport(VlanReport report) {
  if (report.outcome == Outcome::kFailed) return std::move(report.status);
  return report;
}

bool IsDefined(const StorageVlanRecord& record) { return record.phase == Phase::kDefined || record.phase == Phase::kRecreating; }

const StorageVlanRecord* FindRecord(const std::vector<StorageVlanRecord>& records, const std::string& storage_id) {
  const auto it = std::find_if(records.begin(), records.end(),
                               [&](const StorageVlanRecord& record) { return record.vlan.storage_id == storage_id; });
  return it == records.end() ? nullptr : &*it;
}

// With a link that we made go those on top of it; one that was there before stays.
absl::Status CheckNobodyRidesOn(const std::vector<StorageVlanRecord>& records, const StorageVlanRecord& removed) {
  if (!removed.made.link) return absl::OkStatus();
  for (const StorageVlanRecord& record : records) {
    if (record.vlan.base == removed.vlan.LinkName()) return VlanInUse(removed.vlan, record.vlan);
  }
  return absl::OkStatus();
}

absl::Status CheckLinkIsFree(const std::vector<StorageVlanRecord>& records, const StorageVlan& vlan) {
  for (const StorageVlanRecord& record : records) {
    if (record.vlan.LinkName() == vlan.LinkName()) return LinkOfAnotherStorage(record.vlan, vlan);
  }
  return absl::OkStatus();
}

}  // namespace

StorageVlanManager::StorageVlanManager(KernelNetwork& network, LinkIsolation& isolation, StorageStore& store, const Clock& clock,
                                       std::function<void()> on_notice)
    : network_(network),
      isolation_(isolation),
      store_(store),
      on_notice_(std::move(on_notice)),
      budget_(clock),
      builder_(network, isolation, store, clock) {}

absl::Status StorageVlanManager::Restore() {
  absl::Status status;
  bool noticed = false;
  {
    MutexLock lock(changing_);
    status = RestoreNow();
    noticed = builder_.TakeNoticed();
  }
  if (noticed) on_notice_();
  return status;
}

absl::StatusOr<VlanReport> StorageVlanManager::Create(const StorageVlan& vlan, bool dry_run, std::string_view parent_event_id) {
  StorageVlan wanted = vlan;
  std::sort(wanted.routed_subnets.begin(), wanted.routed_subnets.end());
  if (absl::Status status = CheckStorageVlan(wanted); !status.ok()) return status;
  VlanReport report;
  bool noticed = false;
  {
    MutexLock lock(changing_);
    report = CreateNow(wanted, dry_run, parent_event_id);
    noticed = builder_.TakeNoticed();
  }
  if (noticed) on_notice_();
  return StatusOrReport(std::move(report));
}

absl::StatusOr<VlanReport> StorageVlanManager::Delete(const std::string& storage_id, bool dry_run) {
  VlanReport report;
  bool noticed = false;
  {
    MutexLock lock(changing_);
    report = DeleteNow(storage_id, dry_run);
    noticed = builder_.TakeNoticed();
  }
  if (noticed) on_notice_();
  return StatusOrReport(std::move(report));
}

absl::StatusOr<std::vector<VlanReport>> StorageVlanManager::Reconcile(const std::string& storage_id, bool dry_run,
                                                                      std::string_view parent_event_id) {
  absl::StatusOr<std::vector<VlanReport>> reports;
  bool noticed = false;
  {
    MutexLock lock(changing_);
    reports = ReconcileNow(storage_id, dry_run, parent_event_id);
    noticed = builder_.TakeNoticed();
  }
  if (noticed) on_notice_();
  return reports;
}

std::vector<VlanReport> StorageVlanManager::OnLinksChanged() {
  std::vector<VlanReport> reports;
  bool noticed = false;
  {
    MutexLock lock(changing_);
    for (VlanReport& report : RepairNow()) {
      if (IsNews(report)) reports.push_back(std::move(report));
    }
    noticed = builder_.TakeNoticed();
  }
  if (noticed) on_notice_();
  return reports;
}

absl::StatusOr<std::vector<VlanStatus>> StorageVlanManager::List() {
  const auto records = store_.Vlans();
  if (!records.ok()) return records.status();
  std::vector<VlanStatus> statuses;
  if (records->empty()) return statuses;
  const auto network = network_.Read();
  for (const StorageVlanRecord& record : *records) statuses.push_back(Judge(record, network));
  return statuses;
}

absl::Status StorageVlanManager::RestoreNow() {
  const auto records = store_.Vlans();
  if (!records.ok()) return records.status();
  absl::Status first;
  for (const StorageVlanRecord& record : *records) first.Update(builder_.Settle(record));
  return first;
}

absl::StatusOr<std::vector<StorageVlanRecord>> StorageVlanManager::Records() {
  auto records = store_.Vlans();
  if (!records.ok()) return records;
  bool settled = false;
  for (const StorageVlanRecord& record : *records) {
    if (record.phase == Phase::kCreating) settled = builder_.Settle(record).ok() || settled;
  }
  return settled ? store_.Vlans() : std::move(records);
}

VlanReport StorageVlanManager::CreateNow(const StorageVlan& vlan, bool dry_run, std::string_view parent_event_id) {
  const auto records = dry_run ? store_.Vlans() : Records();
  if (!records.ok()) return Failure(vlan.storage_id, records.status());
  if (const StorageVlanRecord* existing = FindRecord(*records, vlan.storage_id); existing != nullptr) {
    if (!IsDefined(*existing)) return Failure(vlan.storage_id, DeletionUnfinished(existing->vlan));
    if (existing->vlan != vlan) return Failure(vlan.storage_id, DefinedOtherwise(existing->vlan, vlan));
    return ReconcileOne(*existing, dry_run, parent_event_id);
  }
  if (absl::Status status = CheckLinkIsFree(*records, vlan); !status.ok()) return Failure(vlan.storage_id, status);
  if (dry_run) return builder_.Preview(vlan, /*is_new=*/true);
  budget_.GiveBack(vlan.storage_id);
  return builder_.Define(vlan, parent_event_id);
}

VlanReport StorageVlanManager::DeleteNow(const std::string& storage_id, bool dry_run) {
  const auto records = dry_run ? store_.Vlans() : Records();
  if (!records.ok()) return Failure(storage_id, records.status());
  const StorageVlanRecord* record = FindRecord(*records, storage_id);
  if (record == nullptr) return Failure(storage_id, VlanNotFound(storage_id));
  if (absl::Status status = CheckNobodyRidesOn(*records, *record); !status.ok()) return Failure(storage_id, status);
  if (dry_run) return builder_.PreviewRemoval(*record);
  budget_.GiveBack(storage_id);
  failures_.erase(storage_id);
  return builder_.TakeAway(*record);
}

absl::StatusOr<std::vector<VlanReport>> StorageVlanManager::ReconcileNow(const std::string& storage_id, bool dry_run,
                                                                         std::string_view parent_event_id) {
  const auto records = dry_run ? store_.Vlans() : Records();
  if (!records.ok()) return records.status();
  if (!storage_id.empty() && FindRecord(*records, storage_id) == nullptr) return VlanNotFound(storage_id);
  std::vector<VlanReport> reports;
  for (const StorageVlanRecord& record : *records) {
    if (!storage_id.empty() && record.vlan.storage_id != storage_id) continue;
    reports.push_back(ReconcileOne(record, dry_run, parent_event_id));
  }
  return reports;
}

VlanReport StorageVlanManager::ReconcileOne(const StorageVlanRecord& record, bool dry_run, std::string_view parent_event_id) {
  if (!IsDefined(record)) {
    VlanReport report = ReportOn(record.vlan);
    report.message = std::string(DeletionUnfinished(record.vlan).message());
    return report;
  }
  if (dry_run) return builder_.Preview(record.vlan, /*is_new=*/false);
  budget_.GiveBack(record.vlan.storage_id);
  failures_.erase(record.vlan.storage_id);
  return builder_.PutRight(record, parent_event_id);
}

std::vector<VlanReport> StorageVlanManager::RepairNow() {
  const auto records = store_.Vlans();
  if (!records.ok()) return {Failure("", records.status())};
  if (records->empty()) return {};
  const auto network = network_.Read();
  if (!network.ok()) return {Failure("", network.status())};
  failures_.erase("");
  std::vector<VlanReport> reports;
  for (const StorageVlanRecord& record : *records) {
    if (IsDefined(record)) reports.push_back(Repair(record, *network));
  }
  return reports;
}

VlanReport StorageVlanManager::Repair(const StorageVlanRecord& record, const NetworkSnapshot& network) {
  const StorageVlan& vlan = record.vlan;
  const auto state = ReadVlanState(network, isolation_, vlan);
  if (!state.ok()) return Failure(vlan.storage_id, state.status());
  const auto plan = PlanVlan(vlan, *state);
  if (plan.ok() && plan->steps.empty() && record.phase == Phase::kDefined) return ReportOn(vlan);
  // What cannot be put right changes nothing, and costs nothing.
  const bool costs = plan.ok() && !plan->steps.empty();
  if (costs && !budget_.Take(vlan.storage_id)) {
    VlanReport report = ReportOn(vlan);
    report.before = report.after = StateText(vlan, *state);
    Fail(report, VlanContested(vlan, plan->Findings(vlan)));
    return report;
  }
  VlanReport report = builder_.PutRight(record, {});
  // A disk that is full, a kernel that refuses the first step: nobody fights, and one day it may work.
  if (costs && !report.touched) budget_.PutBack(vlan.storage_id);
  return report;
}

bool StorageVlanManager::IsNews(const VlanReport& report) {
  if (report.outcome != Outcome::kFailed) {
    failures_.erase(report.storage_id);
    return report.outcome == Outcome::kChanged;
  }
  // It may come back, and the bases of many VLANs may go at once.
  if (absl::IsNotFound(report.status)) return false;
  const auto [said, is_new] = failures_.try_emplace(report.storage_id, report.message);
  return is_new || std::exchange(said->second, report.message) != report.message;
}

VlanStatus StorageVlanManager::Judge(const StorageVlanRecord& record, const absl::StatusOr<NetworkSnapshot>& network) {
  VlanStatus status{.record = record, .contested = budget_.IsContested(record.vlan.storage_id)};
  status.adopted = network.ok() && HasVlan(*network, record.vlan) && !record.made.link;
  const auto state = network.ok() ? ReadVlanState(*network, isolation_, record.vlan) : network.status();
  const auto plan = state.ok() ? PlanVlan(record.vlan, *state) : state.status();
  status.findings = plan.ok() ? plan->Findings(record.vlan) : std::string(plan.status().message());
  if (!IsDefined(record)) status.findings = std::string(DeletionUnfinished(record.vlan).message());
  if (record.phase == Phase::kRecreating && status.findings.empty()) status.findings = "the bus was not told of it yet";
  status.in_order = status.findings.empty();
  return status;
}

}  // namespace pvebus::storage
