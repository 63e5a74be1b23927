#include "network-service/core/applied_checks.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/ifupdown2_rules.h"
#include "network-service/core/kernel_links.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestMessage = 400;

// Interface and message.
using Known = std::set<std::pair<std::string, std::string>>;

Known KnownOf(const std::vector<AppliedFinding>& findings) {
  Known known;
  for (const AppliedFinding& finding : findings) known.emplace(finding.interface, finding.message);
  return known;
}

std::vector<AppliedFinding> AllFindings(const Interfaces& after, const std::vector<ConfigChange>& changes,
                                        const NetworkSnapshot& kernel) {
  std::vector<AppliedFinding> findings = FindDifferences(after, kernel);
  for (AppliedFinding& finding : FindRemains(changes, after, kernel)) findings.push_back(std::move(finding));
  std::stable_sort(findings.begin(), findings.end(),
                   [](const AppliedFinding& one, const AppliedFinding& other) { return one.interface < other.interface; });
  return findings;
}

// Ports of guests that are in no bridge any more, one finding per bridge that has stayed.
std::vector<AppliedFinding> FindLostGuests(const Interfaces& after, const KernelLinks& links_before,
                                           const KernelLinks& links_after, const NetworkSnapshot& kernel_before) {
  std::map<std::string, std::string> lost;
  for (const Link& link : kernel_before.links) {
    const Link* bridge = IsOfGuest(link.name) ? links_before.MasterOf(link) : nullptr;
    const Link* now = links_after.Find(link.name);
    if (bridge == nullptr || !after.contains(bridge->name) || now == nullptr) continue;
    if (now->index == link.index && now->master_index == 0) lost[bridge->name] += " " + link.name;
  }
  std::vector<AppliedFinding> findings;
  for (const auto& [bridge, names] : lost) {
    const std::string message = absl::StrFormat(
        "%s: ports of guests are not in it any more, as ifupdown2 does that is not Proxmox VE's own; put them back with `ip link "
        "set "
        "NAME master %s`:%s",
        bridge, bridge, names);
    findings.push_back({.interface = bridge, .message = CleanUtf8(message, kLongestMessage), .known_limit = true});
  }
  return findings;
}

}  // namespace

ReloadVerdict JudgeReload(const Interfaces& before, const Interfaces& after, const std::vector<ConfigChange>& changes,
                          const NetworkSnapshot& kernel_before, const NetworkSnapshot& kernel_after) {
  const KernelLinks links_before(kernel_before);
  const Known known_before = KnownOf(FindDifferences(before, kernel_before));
  std::set<std::string> changed;
  for (const ConfigChange& change : changes) changed.insert(change.target);

  const auto is_new = [&](const AppliedFinding& finding) {
    const bool was_there = links_before.Find(finding.interface.substr(0, finding.interface.find(':'))) != nullptr;
    return was_there && !known_before.contains({finding.interface, finding.message});
  };
  ReloadVerdict verdict;
  for (AppliedFinding& finding : AllFindings(after, changes, kernel_after)) {
    const bool card_was_missing = !finding.missing_card.empty() && links_before.Find(finding.missing_card) == nullptr;
    const bool is_failure = !finding.known_limit && !card_was_missing && (changed.contains(finding.interface) || is_new(finding));
    (is_failure ? verdict.failures : verdict.warnings).push_back(std::move(finding));
  }
  for (AppliedFinding& finding : FindLostGuests(after, links_before, KernelLinks(kernel_after), kernel_before)) {
    verdict.warnings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace pvebus::network
