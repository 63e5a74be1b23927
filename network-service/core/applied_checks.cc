#include "network-service/core/applied_checks.h"

#include <algorithm>
#include <set>
#include <utility>

#include "network-service/core/kernel_links.h"

namespace pvebus::network {
namespace {

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
  return verdict;
}

}  // namespace pvebus::network
