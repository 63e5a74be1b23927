#include "migration-service/rpc/migration_event_logger.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/time_util.h"
#include "migration-service/rpc/phases.h"
#include "sdk/hooks/event_line.h"

namespace pvebus::migration {
namespace {

using event::v1::SystemEvent;
using hooks::HookOutcome;
using hooks::KeptChange;

constexpr char kName[] = "migration-event-logger";
constexpr char kPhase[] = "phase";
constexpr char kTransactions[] = "transactions";

// "rust-sdn 1700000000000000000 EVENT_ID", by the number of the change.
KeptChange KeptPhase(const MigrationState::Status& status) {
  const auto time = status.phase_time.value_or(SystemTime()).time_since_epoch();
  return {.kind = KeptChange::Kind::kNewest,
          .name = kPhase,
          .number = static_cast<int64_t>(status.phase_changes),
          .text = absl::StrFormat("%s %d %s", PhaseName(status.phase), std::chrono::nanoseconds(time).count(),
                                  status.phase_event_id)};
}

void RestorePhase(const hooks::KeptValue& value, MigrationState::Status& status) {
  const std::vector<std::string> parts = absl::StrSplit(value.text, absl::MaxSplits(' ', 2));
  int64_t nanoseconds = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &nanoseconds)) return;
  const std::optional<Phase> phase = PhaseOfName(parts[0]);
  if (!phase) return;
  status.phase = *phase;
  status.phase_time = SystemTime(std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(nanoseconds)));
  status.phase_event_id = parts[2];
  status.phase_changes = static_cast<uint64_t>(value.number);
}

SystemTime PublishTime(const SystemEvent& event) {
  const std::chrono::nanoseconds since_epoch(google::protobuf::util::TimeUtil::TimestampToNanoseconds(event.publish_time()));
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(since_epoch));
}

void EnterPhase(const SystemEvent& event, bool counted_before, MigrationState& state, HookOutcome& outcome) {
  const std::optional<Phase> phase = FromProto(event.migration_phase_changed().phase());
  if (!phase) {
    outcome.state = bus::v1::HOOK_STATE_FAILED;
    outcome.message = absl::StrFormat("phase %d is not one that this service knows", event.migration_phase_changed().phase());
    return;
  }
  const MigrationState::PhaseChange change = state.EnterPhase(*phase, event.event_id(), PublishTime(event), counted_before);
  outcome.before = PhaseName(change.before);
  outcome.after = PhaseName(change.now);
  outcome.state = change.before == change.now ? bus::v1::HOOK_STATE_UNCHANGED : bus::v1::HOOK_STATE_CHANGED;
  outcome.message =
      change.repeated ? "this event had been handled before" : absl::StrFormat("phase %s is in force", outcome.after);
  outcome.kept.push_back(KeptPhase(state.status()));
}

void CountTransaction(const SystemEvent& event, bool counted_before, MigrationState& state, HookOutcome& outcome) {
  const MigrationState::Transaction transaction = state.CountTransaction(event.event_id(), counted_before);
  outcome.message = transaction.repeated
                        ? absl::StrFormat("network transaction that was counted before, %u in all", transaction.count)
                        : absl::StrFormat("network transaction %u", transaction.count);
  outcome.kept.push_back({.kind = KeptChange::Kind::kAdd, .name = kTransactions, .number = 1, .text = event.event_id()});
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

void RestoreState(const hooks::HookChain& chain, MigrationState& state) {
  MigrationState::Status status;
  for (const auto& [name, value] : chain.Kept()) {
    if (name == kPhase) RestorePhase(value, status);
    if (name != kTransactions) continue;
    status.transaction_count = static_cast<uint64_t>(value.number);
    status.last_transaction_event_id = value.text;
  }
  state.Restore(std::move(status));
}

}  // namespace pvebus::migration
