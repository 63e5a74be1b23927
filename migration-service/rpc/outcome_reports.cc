#include "migration-service/rpc/outcome_reports.h"

#include <optional>
#include <string>

#include "absl/strings/str_format.h"

namespace pvebus::migration {

absl::Status OutcomeReports::Take(const CallReport& report) {
  if (report.implementation == Implementation::kRust) state_.Report(IsFailure(report.result));
  const bool too_many = window_.Report(report.endpoint, report.implementation, report.result, report.latency);
  return too_many ? StepBack() : absl::OkStatus();
}

absl::Status OutcomeReports::StepBack() {
  const MigrationState::Status status = state_.status();
  const std::optional<Phase> back = PhaseBefore(status.phase);
  if (!back) return absl::OkStatus();
  const PhaseOrder order{.to = *back,
                         .from = status.phase,
                         .automatic = true,
                         .reason = window_.Describe(),
                         .requested_by = "migration-service",
                         // Once per phase that was in force, however often it is ordered.
                         .event_id = absl::StrFormat("step-back:%s", status.etag())};
  logger_.Warning("phase=%s state=stepping_back to=%s message=\"%s\"", PhaseName(status.phase), PhaseName(*back), order.reason);
  if (absl::Status kept = store_.PutStepBack(order); !kept.ok()) {
    window_.TellAgain();
    return kept;
  }
  on_step_back_();
  return absl::OkStatus();
}

}  // namespace pvebus::migration
