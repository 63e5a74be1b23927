#include "network-service/core/checked_reload.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/program_output.h"
#include "sdk/base/error.h"

namespace pvebus::network {
namespace {

// Of what differs, in a message.
constexpr size_t kMostFindings = 5;

// Empty: it did its work.
std::optional<ApplyFailure> FailureIn(const ProgramReport& report) {
  const std::string output = EndOfOutput(report);
  if (report.timed_out) return ApplyFailure{"RELOAD_TIMED_OUT", "ifreload -a did not end in time and was ended: " + output};
  if (report.exit_code == 0) return std::nullopt;
  return ApplyFailure{"RELOAD_FAILED", absl::StrFormat("ifreload -a ended with %d: %s", report.exit_code, output)};
}

bool IsIncomplete(const ProgramReport& report) { return report.exit_code == 1 && !report.timed_out; }

ApplyFailure NotAsConfigured(const std::vector<AppliedFinding>& findings) {
  std::string text;
  for (size_t i = 0; i < std::min(findings.size(), kMostFindings); ++i) {
    text += (i == 0 ? "" : "; ") + findings[i].message;
  }
  if (findings.size() > kMostFindings) text += absl::StrFormat("; and %d more", findings.size() - kMostFindings);
  return {"NOT_AS_CONFIGURED", "ifreload -a ended well, but the network is not what the configuration says: " + text};
}

ReloadOutcome ReloadOnce(NetworkNode& node, const ReloadJudge& judge, const std::function<void()>& on_compare) {
  ReloadOutcome outcome;
  auto report = node.Reload({});
  if (!report.ok()) {
    outcome.failure = FailureOf(report.status(), "RELOAD_FAILED");
    return outcome;
  }
  outcome.report = *std::move(report);
  outcome.failure = FailureIn(*outcome.report);
  if (outcome.failure && !IsIncomplete(*outcome.report)) return outcome;
  on_compare();
  const auto kernel = node.ReadKernel();
  if (!kernel.ok()) {
    if (!outcome.failure) outcome.failure = FailureOf(kernel.status(), "NOT_VERIFIED");
    return outcome;
  }
  outcome.verdict = judge.compare(*kernel);
  if (!outcome.verdict->failures.empty()) {
    if (!outcome.failure) outcome.failure = NotAsConfigured(outcome.verdict->failures);
  } else if (outcome.failure && judge.may_be_incomplete(*outcome.verdict)) {
    outcome.failure.reset();
  }
  return outcome;
}

}  // namespace

ReloadOutcome ReloadAndCompare(NetworkNode& node, const ReloadJudge& judge, const std::function<void()>& on_compare) {
  ReloadOutcome first = ReloadOnce(node, judge, on_compare);
  const bool is_otherwise = first.verdict && !first.verdict->failures.empty();
  if (!is_otherwise || (first.report->exit_code != 0 && !judge.may_be_incomplete(*first.verdict))) return first;
  ReloadOutcome second = ReloadOnce(node, judge, on_compare);
  if (!second.report) return first;
  second.report->output.insert(0, first.report->output);
  second.report->duration += first.report->duration;
  return second;
}

ApplyFailure FailureOf(const absl::Status& status, const char* reason) {
  const std::string own = ErrorReason(status);
  return {.reason = own.empty() ? reason : own, .message = std::string(status.message())};
}

bool LacksCards(const std::vector<AppliedFinding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const AppliedFinding& finding) { return !finding.missing_card.empty(); });
}

}  // namespace pvebus::network
