#include "container-service/rpc/network_event_logger.h"

#include <string>

#include "absl/strings/str_format.h"
#include "sdk/hooks/event_line.h"

namespace pvebus::container {
namespace {

std::string CountStart(const event::v1::SystemEvent& event, ContainerStarts& starts) {
  const uint32_t id = event.container_started().id();
  const ContainerStarts::Start start = starts.Record(id, event.event_id());
  return start.repeated ? absl::StrFormat("start of container %u that was counted before, %u in all", id, start.count)
                        : absl::StrFormat("start %u of container %u since this service began", start.count, id);
}

}  // namespace

hooks::Hook NetworkEventLogger(Logger& logger, ContainerStarts& starts) {
  const auto run = [&logger, &starts](const client::EventContext& context, std::stop_token) {
    const event::v1::SystemEvent& event = context.event();
    logger.Info("hook=network-event-logger %s", hooks::EventLine(context));
    hooks::HookOutcome outcome{.resource = hooks::ResourceOf(event), .message = "logged"};
    if (context.dry_run()) {
      outcome.state = bus::v1::HOOK_STATE_DRY_RUN;
    } else if (event.has_container_started()) {
      outcome.message = CountStart(event, starts);
    }
    return outcome;
  };
  return {.name = "network-event-logger",
          .description = "Logs each event in one line; counts the starts of each container",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

}  // namespace pvebus::container
