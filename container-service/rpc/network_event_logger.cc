#include "container-service/rpc/network_event_logger.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "container-service/rpc/lifecycle_event.h"
#include "sdk/hooks/event_line.h"

namespace pvebus::container {
namespace {

constexpr char kName[] = "network-event-logger";
constexpr char kKeptPrefix[] = "starts/";

std::string KeptName(uint32_t container) { return kKeptPrefix + std::to_string(container); }

void CountStart(const event::v1::SystemEvent& event, const hooks::HookChain& chain, ContainerStarts& starts,
                hooks::HookOutcome& outcome) {
  const uint32_t id = event.container_started().id();
  const ContainerStarts::Start start = starts.Record(id, event.event_id(), chain.HasSucceeded(kName, event.event_id()));
  outcome.message = start.repeated ? absl::StrFormat("start of container %u that was counted before, %u in all", id, start.count)
                                   : absl::StrFormat("start %u of container %u", start.count, id);
  outcome.kept.push_back({.kind = hooks::KeptChange::Kind::kAdd, .name = KeptName(id), .number = 1});
  if (start.forgotten) outcome.kept.push_back({.kind = hooks::KeptChange::Kind::kErase, .name = KeptName(*start.forgotten)});
}

}  // namespace

hooks::Hook NetworkEventLogger(Logger& logger, ContainerStarts& starts, const hooks::HookChain& chain) {
  const auto run = [&logger, &starts, &chain](const client::EventContext& context, const std::stop_token&) {
    const event::v1::SystemEvent& event = context.event();
    logger.Info("hook=%s %s", kName, hooks::EventLine(context));
    hooks::HookOutcome outcome{.resource = hooks::ResourceOf(event), .message = "logged"};
    if (context.dry_run()) {
      outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    } else if (event.has_container_started() && IsOnTheBus(event)) {
      CountStart(event, chain, starts, outcome);
    }
    return outcome;
  };
  return {.name = kName,
          .description = "Logs each event in one line; counts the starts of each container",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

void RestoreStarts(const hooks::HookChain& chain, ContainerStarts& starts) {
  for (const auto& [name, value] : chain.Kept()) {
    uint32_t container = 0;
    if (!absl::StartsWith(name, kKeptPrefix) || !absl::SimpleAtoi(name.substr(sizeof kKeptPrefix - 1), &container)) continue;
    starts.Restore(container, static_cast<uint64_t>(value.number));
  }
}

}  // namespace pvebus::container
