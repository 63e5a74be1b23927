#include "migration-service/rpc/migration_hooks.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "migration-service/core/errors.h"
#include "migration-service/rpc/phase_event.h"
#include "sdk/base/error.h"
#include "sdk/hooks/event_line.h"

namespace pvebus::migration {
namespace {

using client::EventContext;
using hooks::HookOutcome;

HookOutcome Skipped(const EventContext& context, const char* why) {
  return {.state = bus::v1::HOOK_STATE_SKIPPED, .resource = hooks::ResourceOf(context.event()), .message = why};
}

// Another attempt may find the bus there and the gate open.
bool OnlyTheBusIsMissing(const std::vector<GateVerdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [](const GateVerdict& verdict) {
    return verdict.open || absl::StartsWith(verdict.message, kBusDoesNotSay);
  });
}

// Whether it is the order that is wrong, and not this machine.
bool IsRefusal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAborted(status) || absl::IsInvalidArgument(status);
}

void Refuse(const absl::Status& status, bool for_good, HookOutcome& outcome) {
  outcome.state = bus::v1::HOOK_STATE_FAILED;
  outcome.message = std::string(status.message());
  if (for_good) outcome.refusal = ErrorReason(status);
}

HookOutcome EnterPhase(const EventContext& context, MigrationState& state, const GateKeeper& keeper,
                       const std::function<void()>& on_change) {
  HookOutcome outcome{.resource = hooks::ResourceOf(context.event())};
  const auto order = OrderOf(context.event());
  if (!order.ok()) {
    Refuse(order.status(), true, outcome);
    return outcome;
  }
  outcome.before = PhaseName(state.status().phase);
  const std::vector<GateVerdict> gates = keeper.JudgeFor(*order);
  const auto entered = state.Enter(*order, gates);
  outcome.after = PhaseName(state.status().phase);
  if (!entered.ok()) {
    const bool closed = ErrorReason(entered.status()) == "GATES_CLOSED";
    Refuse(entered.status(), IsRefusal(entered.status()) && !(closed && OnlyTheBusIsMissing(gates)), outcome);
    return outcome;
  }
  switch (*entered) {
    case MigrationState::Entered::kChanged:
      outcome.state = bus::v1::HOOK_STATE_CHANGED;
      outcome.message = absl::StrFormat("phase %s is in force", outcome.after);
      on_change();
      break;
    case MigrationState::Entered::kUnchanged:
      outcome.message = absl::StrFormat("phase %s was in force already", outcome.after);
      break;
    case MigrationState::Entered::kRepeated:
      outcome.message = "this event had been handled before";
      break;
  }
  return outcome;
}

HookOutcome Count(const EventContext& context, MigrationState& state) {
  HookOutcome outcome{.resource = hooks::ResourceOf(context.event())};
  const auto counted = state.CountTransaction(context.event().event_id());
  if (!counted.ok()) {
    outcome.state = bus::v1::HOOK_STATE_FAILED;
    outcome.message = std::string(counted.status().message());
    return outcome;
  }
  const MigrationState::Status status = state.status();
  if (*counted) {
    outcome.state = bus::v1::HOOK_STATE_CHANGED;
    outcome.message = absl::StrFormat("network transaction %d, %d in the phase %s", status.transactions,
                                      status.phase_transactions, PhaseName(status.phase));
  } else {
    outcome.message = absl::StrFormat("network transaction that was counted before, %d in all", status.transactions);
  }
  return outcome;
}

HookOutcome WriteMap(const EventContext& context, const MigrationState& state, RouteMap& map, const std::stop_token& stop) {
  HookOutcome outcome{.resource = map.status().path};
  const Phase phase = state.status().phase;
  outcome.after = PhaseName(phase);
  if (context.dry_run()) {
    outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    outcome.message = "would be written";
    return outcome;
  }
  RouteMapUpdate update = map.Bring(phase, stop);
  outcome.before = std::move(update.before);
  outcome.message = std::move(update.message);
  switch (update.state) {
    case RouteMapUpdate::State::kCurrent:
      break;
    case RouteMapUpdate::State::kWritten:
      outcome.state = bus::v1::HOOK_STATE_CHANGED;
      break;
    case RouteMapUpdate::State::kFailed:
      outcome.state = bus::v1::HOOK_STATE_FAILED;
      outcome.after = outcome.before;
      break;
  }
  return outcome;
}

}  // namespace

hooks::Hook MigrationEventLogger(Logger& logger) {
  const auto run = [&logger](const EventContext& context, const std::stop_token&) {
    logger.Info("hook=migration-event-logger %s", hooks::EventLine(context));
    HookOutcome outcome{.resource = hooks::ResourceOf(context.event()), .message = "logged"};
    if (context.dry_run()) outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    return outcome;
  };
  return {.name = "migration-event-logger",
          .description = "Logs each event in one line",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

hooks::Hook PhaseTracker(MigrationState& state, const GateKeeper& gates, std::function<void()> on_change) {
  const auto run = [&state, &gates, on_change = std::move(on_change)](const EventContext& context, const std::stop_token&) {
    if (!context.event().has_migration_phase_changed()) return Skipped(context, "no change of the phase");
    if (!context.dry_run()) return EnterPhase(context, state, gates, on_change);
    HookOutcome outcome = Skipped(context, "would be checked, and become the phase");
    outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    return outcome;
  };
  return {.name = "phase-tracker",
          .description = "Makes the phase of a MigrationPhaseChanged the one in force, when the rules allow it",
          .time_limit = std::chrono::seconds(10),
          .run = run};
}

hooks::Hook AppliedCounter(MigrationState& state) {
  const auto run = [&state](const EventContext& context, const std::stop_token&) {
    if (!context.event().has_network_applied()) return Skipped(context, "no network transaction");
    if (!context.dry_run()) return Count(context, state);
    HookOutcome outcome = Skipped(context, "would be counted");
    outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    return outcome;
  };
  return {.name = "applied-counter",
          .description = "Counts network transactions, each event once",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

hooks::Hook RouteMapWriter(const MigrationState& state, RouteMap* map) {
  const auto run = [&state, map](const EventContext& context, const std::stop_token& stop) {
    if (!context.event().has_migration_phase_changed()) return Skipped(context, "no change of the phase");
    if (map == nullptr) return Skipped(context, "there is no route table to write (--route-map)");
    return WriteMap(context, state, *map, stop);
  };
  return {.name = "route-map-writer",
          .description = "Brings the route table of the reverse proxy to the phase in force",
          .time_limit = std::chrono::seconds(30),
          .run = run};
}

}  // namespace pvebus::migration
