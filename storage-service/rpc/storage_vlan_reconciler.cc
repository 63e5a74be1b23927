#include "storage-service/rpc/storage_vlan_reconciler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/hooks/event_line.h"
#include "storage-service/rpc/storage_messages.h"

namespace pvebus::storage {
namespace {

using Outcome = VlanReport::Outcome;
using Reports = std::vector<VlanReport>;

constexpr std::chrono::seconds kTimeLimit{30};

hooks::HookDetail DetailOf(const VlanReport& report) {
  std::string message = report.message;
  if (message.empty()) {
    message = report.link;
  } else if (!absl::StrContains(message, report.link)) {
    message = absl::StrFormat("%s: %s", report.link, message);
  }
  return {.state = ToProto(report.outcome),
          .resource = "storage/" + report.storage_id,
          .before = report.before,
          .after = report.after,
          .message = std::move(message)};
}

int Count(const Reports& reports, Outcome outcome) {
  return static_cast<int>(
      std::count_if(reports.begin(), reports.end(), [&](const VlanReport& report) { return report.outcome == outcome; }));
}

// "2 VLANs: 1 changed, 1 in order"
std::string Summary(const Reports& reports) {
  std::vector<std::string> parts;
  const auto add = [&](Outcome outcome, const char* words) {
    if (const int count = Count(reports, outcome); count > 0) parts.push_back(absl::StrFormat("%d %s", count, words));
  };
  add(Outcome::kFailed, "failed");
  add(Outcome::kChanged, "changed");
  add(Outcome::kDryRun, "would change");
  add(Outcome::kUnchanged, "in order");
  return absl::StrFormat("%d VLAN%s: %s", reports.size(), reports.size() == 1 ? "" : "s", absl::StrJoin(parts, ", "));
}

bus::v1::HookState StateOf(const Reports& reports, bool dry_run) {
  if (dry_run) return bus::v1::HOOK_STATE_DRY_RUN;
  for (const Outcome outcome : {Outcome::kFailed, Outcome::kChanged}) {
    if (Count(reports, outcome) > 0) return ToProto(outcome);
  }
  return bus::v1::HOOK_STATE_UNCHANGED;
}

// What became of StorageVlanCreated for the links that were made.
std::string Announced(const Reports& reports, const std::function<absl::Status(std::stop_token)>& announce,
                      const std::stop_token& stop) {
  std::vector<std::string> created;
  for (const VlanReport& report : reports) {
    if (report.link_created) created.push_back(report.storage_id);
  }
  if (created.empty()) return {};
  const absl::Status status = announce(stop);
  const std::string storages = absl::StrJoin(created, ", ");
  if (status.ok()) return absl::StrFormat("; StorageVlanCreated was published for %s", storages);
  return absl::StrFormat("; StorageVlanCreated for %s could not be published yet: %s", storages, status.message());
}

hooks::HookOutcome Run(const VlanReconciliation& reconciliation, const client::EventContext& context,
                       const std::stop_token& stop) {
  hooks::HookOutcome outcome{.state = bus::v1::HOOK_STATE_SKIPPED, .resource = hooks::ResourceOf(context.event())};
  if (!context.event().has_network_applied()) {
    outcome.message = "the network was not applied";
    return outcome;
  }
  const bool dry_run = context.dry_run();
  const absl::StatusOr<Reports> reports = reconciliation.reconcile(dry_run, context.event().event_id());
  if (!reports.ok()) {
    outcome.state = bus::v1::HOOK_STATE_FAILED;
    outcome.message = std::string(reports.status().message());
    return outcome;
  }
  if (reports->empty()) {
    outcome.message = "no VLANs are defined";
    return outcome;
  }
  outcome.state = StateOf(*reports, dry_run);
  for (const VlanReport& report : *reports) outcome.details.push_back(DetailOf(report));
  outcome.message = Summary(*reports);
  if (!dry_run) outcome.message += Announced(*reports, reconciliation.announce, stop);
  return outcome;
}

}  // namespace

hooks::Hook StorageVlanReconciler(VlanReconciliation reconciliation) {
  return {.name = "storage-vlan-reconciler",
          .description = "When the network was applied, compares every VLAN of a storage with the kernel and puts it right",
          .time_limit = kTimeLimit,
          .run = [reconciliation = std::move(reconciliation)](const client::EventContext& context, const std::stop_token& stop) {
            return Run(reconciliation, context, stop);
          }};
}

}  // namespace pvebus::storage
