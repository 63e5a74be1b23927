#include "migration-service/rpc/migration_event_logger.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"
#include "migration-service/core/errors.h"
#include "migration-service/rpc/phases.h"
#include "sdk/hooks/event_line.h"

namespace pvebus::migration {
namespace {

using event::v1::SystemEvent;
using hooks::HookOutcome;

constexpr char kName[] = "migration-event-logger";

SystemTime PublishTime(const SystemEvent& event) {
  const std::chrono::nanoseconds since_epoch(google::protobuf::util::TimeUtil::TimestampToNanoseconds(event.publish_time()));
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(since_epoch));
}

void Fail(const absl::Status& status, HookOutcome& outcome) {
  outcome.state = bus::v1::HOOK_STATE_FAILED;
  outcome.message = std::string(status.message());
}

// The event says what is so, not what somebody asks for: it is followed wherever it leads.
PhaseOrder OrderOf(const SystemEvent& event, Phase to) {
  return {.to = to,
          .force = true,
          .reason = "an event said so",
          .requested_by = event.source(),
          .event_id = event.event_id(),
          .time = PublishTime(event)};
}

void EnterPhase(const SystemEvent& event, bool handled_before, MigrationState& state, HookOutcome& outcome) {
  const std::optional<Phase> phase = FromProto(event.migration_phase_changed().phase());
  if (!phase) return Fail(PhaseInvalid(event.migration_phase_changed().phase()), outcome);
  outcome.before = PhaseName(state.status().phase);
  const auto entered = handled_before ? MigrationState::Entered::kRepeated : state.Enter(OrderOf(event, *phase), {});
  if (!entered.ok()) return Fail(entered.status(), outcome);
  outcome.after = PhaseName(state.status().phase);
  if (*entered == MigrationState::Entered::kChanged) outcome.state = bus::v1::HOOK_STATE_CHANGED;
  outcome.message = *entered == MigrationState::Entered::kRepeated ? "this event had been handled before"
                                                                   : absl::StrFormat("phase %s is in force", outcome.after);
}

void CountTransaction(const SystemEvent& event, bool counted_before, MigrationState& state, HookOutcome& outcome) {
  const auto counted = counted_before ? false : state.CountTransaction(event.event_id());
  if (!counted.ok()) return Fail(counted.status(), outcome);
  const uint64_t transactions = state.status().transactions;
  outcome.message = *counted ? absl::StrFormat("network transaction %u", transactions)
                             : absl::StrFormat("network transaction that was counted before, %u in all", transactions);
}

}  // namespace

hooks::Hook MigrationEventLogger(Logger& logger, MigrationState& state, const hooks::HookChain& chain) {
  const auto run = [&logger, &state, &chain](const client::EventContext& context, const std::stop_token&) {
    const SystemEvent& event = context.event();
    logger.Info("hook=%s %s", kName, hooks::EventLine(context));
    HookOutcome outcome{.resource = hooks::ResourceOf(event), .message = "logged"};
    if (context.dry_run()) {
      outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    } else if (event.has_migration_phase_changed()) {
      EnterPhase(event, chain.HasSucceeded(kName, event.event_id()), state, outcome);
    } else if (event.has_network_applied()) {
      CountTransaction(event, chain.HasSucceeded(kName, event.event_id()), state, outcome);
    }
    return outcome;
  };
  return {.name = kName,
          .description = "Logs each event in one line; follows the migration phase and counts network transactions",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

}  // namespace pvebus::migration
