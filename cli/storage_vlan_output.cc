#include "cli/storage_vlan_output.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/error_output.h"
#include "cli/result_output.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

using storage::v1::StorageVlan;
using storage::v1::StorageVlanReport;
using storage::v1::StorageVlanStatus;

std::string State(const StorageVlanStatus& status) {
  if (status.contested()) return "CONTESTED";
  return status.in_order() ? "IN_ORDER" : "DIFFERS";
}

std::string Detail(const StorageVlanStatus& status) {
  std::string detail = status.findings();
  if (status.contested()) detail += std::string(detail.empty() ? "" : "; ") + "somebody keeps deleting it";
  if (status.adopted()) detail += std::string(detail.empty() ? "" : "; ") + "was there before, and stays when it is deleted here";
  return detail;
}

std::string Routes(const StorageVlan& vlan) {
  if (vlan.gateway().empty()) return "";
  return absl::StrFormat("%s via %s", absl::StrJoin(vlan.routed_subnets(), ", "), vlan.gateway());
}

// "missing -> up, mtu 1500: created vmbr0.100".
std::string Detail(const StorageVlanReport& report) {
  std::string detail = report.before();
  if (!report.after().empty() && report.after() != report.before()) detail += " -> " + report.after();
  const std::string what = report.has_error() ? FormatError(report.error()) : report.message();
  if (!what.empty()) detail += (detail.empty() ? "" : ": ") + what;
  return detail;
}

}  // namespace

void PrintVlans(const VlanStatusList& vlans, std::ostream& out) {
  if (vlans.empty()) {
    out << "no VLANs\n";
    return;
  }
  Table table({"STORAGE", "LINK", "TAG", "ADDRESS", "MTU", "ROUTES", "ISOLATED", "STATE", "DETAIL"});
  for (const StorageVlanStatus& status : vlans) {
    const StorageVlan& vlan = status.vlan();
    table.Add({vlan.storage_id(), status.link(), std::to_string(vlan.tag()), vlan.address(),
               vlan.mtu() == 0 ? "of base" : std::to_string(vlan.mtu()), Routes(vlan), vlan.isolated() ? "yes" : "no",
               State(status), Detail(status)});
  }
  table.Print(out);
}

void PrintVlanReports(const VlanReportList& reports, std::ostream& out) {
  if (reports.empty()) {
    out << "no VLANs\n";
    return;
  }
  Table table({"STORAGE", "LINK", "STATE", "DETAIL"});
  for (const StorageVlanReport& report : reports) {
    table.Add({report.storage_id(), report.link(), ShortName(HookState_Name(report.state())), Detail(report)});
  }
  table.Print(out);
}

void PrintVlanAdvice(const VlanReportList& reports, std::ostream& out) {
  std::set<std::string> said;
  for (const StorageVlanReport& report : reports) {
    const std::string advice = AdviceOn(report.error().reason());
    if (!advice.empty() && said.insert(advice).second) out << absl::StrFormat("next: %s\n", advice);
  }
}

ExitCode ExitCodeOf(const VlanReportList& reports) {
  const auto failed = [](const StorageVlanReport& report) { return report.state() == bus::v1::HOOK_STATE_FAILED; };
  return std::any_of(reports.begin(), reports.end(), failed) ? kListenerFailed : kAllSucceeded;
}

}  // namespace pvebus::cli
