#include "network-service/core/applied_checks.h"

#include <algorithm>
#include <set>
#include <utility>

namespace pvebus::network {
namespace {

using Excuse = AppliedFinding::Excuse;
// Interface and message.
using Known = std::set<std::pair<std::string, std::string>>;

Known KnownOf(const std::vector<AppliedFinding>& findings) {
  Known known;
  for (const AppliedFinding& finding : findings) known.emplace(finding.interface, finding.message);
  return known;
}

bool Has(const Known& known, const AppliedFinding& finding) { return known.contains({finding.interface, finding.message}); }

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
  const Known wrong_before = KnownOf(FindDifferences(before, kernel_before));
  // What is also found when the new configuration is laid over the old kernel, the reload has not done.
  const Known wrong_then = KnownOf(FindDifferences(after, kernel_before));
  std::set<std::string> changed;
  for (const ConfigChange& change : changes) changed.insert(change.target);

  ReloadVerdict verdict;
  for (AppliedFinding& finding : AllFindings(after, changes, kernel_after)) {
    const bool excused = finding.excuse == Excuse::kKnownLimit || (finding.excuse == Excuse::kNoCard && Has(wrong_then, finding));
    const bool is_failure = !excused && (changed.contains(finding.interface) || !Has(wrong_before, finding));
    (is_failure ? verdict.failures : verdict.warnings).push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace pvebus::network
