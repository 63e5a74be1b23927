#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "pvebus/bus/v1/hook.pb.h"
#include "pvebus/bus/v1/types.pb.h"
#include "sdk/base/clock.h"
#include "sdk/client/event_context.h"

namespace pvebus::hooks {

// What a hook says it did.
struct HookOutcome {
  bus::v1::HookState state = bus::v1::HOOK_STATE_UNCHANGED;
  std::string resource;
  std::string before;
  std::string after;
  std::string message;
};

// One named piece of work for an event. `run` observes `stop`: it is requested when the time limit has passed, and what the
// hook returns after that no longer counts. A hook that throws or overruns is FAILED; the other hooks run all the same.
struct Hook {
  std::string name;         // ^[a-z][a-z0-9-]{0,62}$
  std::string description;  // for eyes
  std::chrono::milliseconds time_limit = std::chrono::seconds(10);
  std::function<HookOutcome(const client::EventContext&, std::stop_token stop)> run;
};

struct HookChainOptions {
  size_t history_size = 1000;  // executions remembered
};

// Which executions to list.
struct ExecutionQuery {
  std::string hook;
  bus::v1::HookState state = bus::v1::HOOK_STATE_UNSPECIFIED;
  std::string event_id;
  std::string resource;
  uint64_t before_execution_id = 0;  // 0: from the newest
  size_t limit = 100;
};

// Named hooks in the order in which they were added. Any thread.
class HookChain {
 public:
  // Requires: `clock` outlives the chain.
  HookChain(HookChainOptions options, const Clock& clock);
  ~HookChain();

  absl::Status Add(Hook hook);                 // ALREADY_EXISTS HOOK_EXISTS, INVALID_ARGUMENT HOOK_NAME_INVALID
  absl::Status Remove(std::string_view name);  // NOT_FOUND HOOK_NOT_FOUND, naming the nearest
  std::vector<bus::v1::Hook> List() const;

  // Runs every hook; one result per hook, in order. A dry-run delivery runs hooks that see context.dry_run().
  std::vector<bus::v1::HookResult> Run(const client::EventContext& context);

  // Newest first.
  std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const;
  std::vector<bus::v1::HookStatistics> Statistics() const;
  // Forgets the history, keeps the statistics; how many executions there were.
  size_t ClearExecutions();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pvebus::hooks
