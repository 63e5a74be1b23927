#include "migration-service/core/gates.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace pvebus::migration {
namespace {

GateVerdict OfTransactions(const GateLimits& limits, const GateFacts& facts) {
  return {.gate = "transactions",
          .open = facts.transactions >= limits.min_transactions,
          .message = absl::StrFormat("%d of %d network transactions in this phase", facts.transactions, limits.min_transactions)};
}

GateVerdict OfFailures(const GateLimits& limits, const GateFacts& facts) {
  GateVerdict verdict{.gate = "failure-share"};
  if (facts.reports < limits.min_reports) {
    verdict.message =
        absl::StrFormat("%d of %d calls of the new implementation reported in this phase", facts.reports, limits.min_reports);
    return verdict;
  }
  const double share = facts.reports == 0 ? 0.0 : static_cast<double>(facts.failures) / static_cast<double>(facts.reports);
  verdict.open = share <= limits.max_failure_share;
  verdict.message = absl::StrFormat("%d of %d calls of the new implementation failed (%.1f %%, at most %.1f %%)", facts.failures,
                                    facts.reports, 100 * share, 100 * limits.max_failure_share);
  return verdict;
}

GateVerdict OfListener(const std::string& listener, const GateFacts& facts) {
  GateVerdict verdict{.gate = "dead-letters/" + listener};
  const auto found = facts.dead_letters.find(listener);
  if (found == facts.dead_letters.end() || !found->second) {
    verdict.message = absl::StrFormat("%s how many dead letters it has", kBusDoesNotSay);
    return verdict;
  }
  verdict.open = *found->second == 0;
  verdict.message = absl::StrFormat("%d dead letters", *found->second);
  return verdict;
}

}  // namespace

std::vector<GateVerdict> JudgeGates(const GateLimits& limits, const GateFacts& facts) {
  std::vector<GateVerdict> verdicts;
  if (limits.min_transactions > 0) verdicts.push_back(OfTransactions(limits, facts));
  if (limits.max_failure_share < 1.0 || limits.min_reports > 0) verdicts.push_back(OfFailures(limits, facts));
  for (const std::string& listener : limits.quiet_listeners) verdicts.push_back(OfListener(listener, facts));
  return verdicts;
}

bool AllOpen(const std::vector<GateVerdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [](const GateVerdict& verdict) { return verdict.open; });
}

}  // namespace pvebus::migration
