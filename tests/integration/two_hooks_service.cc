// A hook service for tests: the hook `steady` succeeds at once; `flaky` fails at the first attempt, and for an event named
// "hang" it does not return from it. Each prints a line when it is called: `called HOOK ATTEMPT EVENT_NAME`.
#include <cstdio>

#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "sdk/base/mutex.h"
#include "sdk/hook_service/hook_main.h"
#include "sdk/hook_service/hook_rpc.h"

namespace pvebus::testing {
namespace {

void PrintCall(const char* hook, const client::EventContext& context) {
  std::printf("called %s %u %s\n", hook, context.attempt(), context.event().custom().name().c_str());
  std::fflush(stdout);
}

hooks::HookOutcome Steady(const client::EventContext& context, const std::stop_token&) {
  PrintCall("steady", context);
  return {.state = bus::v1::HOOK_STATE_CHANGED, .message = "steady as ever"};
}

hooks::HookOutcome Flaky(const client::EventContext& context, const std::stop_token& stop) {
  PrintCall("flaky", context);
  if (context.event().custom().name() == "hang" && context.attempt() == 1) {
    Mutex mutex;
    CondVar stopped;
    const std::stop_callback wake(stop, [&] {
      MutexLock lock(mutex);
      stopped.NotifyAll();
    });
    MutexLock lock(mutex);
    while (!stop.stop_requested()) stopped.Wait(mutex);
  }
  if (context.attempt() == 1) return {.state = bus::v1::HOOK_STATE_FAILED, .message = "the first time always goes wrong"};
  return {.state = bus::v1::HOOK_STATE_CHANGED};
}

absl::StatusOr<std::shared_ptr<grpc::Service>> Assemble(const hook_service::HookProgramParts& parts) {
  if (const absl::Status status = parts.chain.Add({.name = "steady", .run = Steady}); !status.ok()) return status;
  const hooks::Hook flaky{.name = "flaky", .time_limit = std::chrono::seconds(60), .run = Flaky};
  if (const absl::Status status = parts.chain.Add(flaky); !status.ok()) return status;
  return std::make_shared<hook_service::HookRpc<container::v1::ContainerService>>(parts.chain);
}

}  // namespace
}  // namespace pvebus::testing

int main(int argc, char** argv) {
  return pvebus::hook_service::RunHookProgram({.description = "Two hooks, for tests",
                                               .default_listen = "127.0.0.1:0",
                                               .identity = {"two-hooks-service", "two-hooks", "pvebus.test.v1.TwoHooks"},
                                               .assemble = pvebus::testing::Assemble},
                                              argc, argv);
}
