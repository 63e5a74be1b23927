#include "storage-service/rpc/storage_event_logger.h"

#include "sdk/hooks/event_line.h"

namespace pvebus::storage {

hooks::Hook StorageEventLogger(Logger& logger) {
  const auto run = [&logger](const client::EventContext& context, const std::stop_token&) {
    logger.Info("hook=storage-event-logger %s", hooks::EventLine(context));
    return hooks::HookOutcome{.state = context.dry_run() ? bus::v1::HOOK_STATE_DRY_RUN : bus::v1::HOOK_STATE_UNCHANGED,
                              .resource = hooks::ResourceOf(context.event()),
                              .message = "logged"};
  };
  return {.name = "storage-event-logger",
          .description = "Logs each event in one line",
          .time_limit = std::chrono::seconds(5),
          .run = run};
}

}  // namespace pvebus::storage
