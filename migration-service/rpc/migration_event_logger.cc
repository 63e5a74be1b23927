#include "migration-service/rpc/migration_event_logger.h"

#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"
#include "migration-service/rpc/phases.h"
#include "sdk/hooks/event_line.h"

namespace pvebus::migration {
namespace {

using event::v1::SystemEvent;
using hooks::HookOutcome;

SystemTime PublishTime(const SystemEvent& event) {
  const std::chrono::nanoseconds since_epoch(google::protobuf::util::TimeUtil::TimestampToNanoseconds(event.publish_time()));
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(since_epoch));
}

void EnterPhase(const SystemEvent& event, MigrationState& state, HookOutcome& outcome) {
  const std::optional<Phase> phase = FromProto(event.migration_phase_changed().phase());
  if (!phase) {
    outcome.state = bus::v1::HOOK_STATE_FAILED;
    outcome.message = absl::StrFormat("phase %d is not one that this service knows", event.migration_phase_changed().phase());
    return;
  }
  const MigrationState::PhaseChange change = state.EnterPhase(*phase, event.event_id(), PublishTime(event));
  outcome.before = PhaseName(change.before);
  outcome.after = PhaseName(change.now);
  outcome.state = change.before == change.now ? bus::v1::HOOK_STATE_UNCHANGED : bus::v1::HOOK_STATE_CHANGED;
  outcome.message =
      change.repeated ? "this event had been handled before" : absl::StrFormat("phase %s is in force", outcome.after);
}

void CountTransaction(const SystemEvent& event, MigrationState& state, HookOutcome& outcome) {
  const MigrationState::Transaction transaction = state.CountTransaction(event.event_id());
  outcome.message = transaction.repeated
                        ? absl::StrFormat("network transaction that was counted before, %u in all", transaction.count)
                        : absl::StrFormat("network transaction %u since this service began", transaction.count);
}

}  // namespace

hooks::Hook MigrationEventLogger(Logger& logger, MigrationState& state) {
  const auto run = [&logger, &state](const client::EventContext& context, std::stop_token) {
    const SystemEvent& event = context.event();
    logger.Info("hook=migration-event-logger %s", hooks::EventLine(context));
    HookOutcome outcome{.resource = hooks::ResourceOf(event), .message = "logged"};
    if (context.dry_run()) {
      outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    } else if (event.has_migration_phase_changed()) {
      EnterPhase(event, state, outcome);
    } else if (event.has_network_applied()) {
      CountTransaction(event, state, outcome);
    }
    return outcome;
  };
  return {.name = "migration-event-logger",
          .description = "Logs each event in one line; follows the migration phase and counts network transactions",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

}  // namespace pvebus::migration
