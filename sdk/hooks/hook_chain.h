#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "pvebus/bus/v1/hook.pb.h"
#include "pvebus/bus/v1/types.pb.h"
#include "sdk/base/clock.h"
#include "sdk/client/event_context.h"
#include "sdk/client/publisher.h"
#include "sdk/hooks/hook.h"
#include "sdk/hooks/hook_journal.h"

namespace pvebus::hooks {

struct HookChainOptions {
  size_t history_size = 1000;  // executions remembered, when the chain gets no journal
  // What hooks publish through (EventContext::Publish). Null: they cannot. Outlives the chain.
  const client::Publisher* publisher = nullptr;
};

// Named hooks in the order in which they were added. Any thread.
//
// Hooks run on threads that the chain keeps: one for each Run that is under way. A hook that overruns keeps its thread until it
// returns, and the rest of the chain goes on with another one; as long as it has not returned, further runs of it are FAILED
// ("still running"), so that the event comes again, and so that a hook that hangs costs one thread and not one per event.
//
// For an event that comes again only those hooks run that have not succeeded yet; the others are SKIPPED. A replay
// (context.replay_id()) and a dry run call all of them. A hook whose delivery was given up while it ran (context.stop()) has
// not succeeded, whatever it answers. A hook that records its parts (HookParts) has them succeed on their own.
class HookChain {
 public:
  // Without a journal what was done is remembered in memory. Requires: `clock` outlives the chain.
  HookChain(HookChainOptions options, const Clock& clock, std::unique_ptr<HookJournal> journal = nullptr);
  // Waits for hooks that overran, without limit: use WaitForOverruns before when they may hang.
  ~HookChain();
  HookChain(const HookChain&) = delete;
  HookChain& operator=(const HookChain&) = delete;

  // ALREADY_EXISTS HOOK_EXISTS, INVALID_ARGUMENT HOOK_NAME_INVALID / HOOK_INVALID, RESOURCE_EXHAUSTED TOO_MANY_HOOKS (256).
  absl::Status Add(Hook hook);
  // NOT_FOUND HOOK_NOT_FOUND, naming the nearest. Runs under way still run it.
  absl::Status Remove(std::string_view name);
  std::vector<bus::v1::Hook> List() const;
  // OK, or NOT_FOUND HOOK_NOT_FOUND, naming the nearest.
  absl::Status CheckName(std::string_view name) const;

  // The results of the hooks, in order, each followed by the parts that it recorded and its details; they are in the journal
  // when this returns. In a dry run hooks see context.dry_run(). `refusal` gets the reason of the first hook that refused the
  // event (HookOutcome::refusal); null: nobody asks.
  std::vector<bus::v1::HookResult> Run(const client::EventContext& context, std::string* refusal = nullptr);
  // Whether `hook` has done its work for the event already: what comes again shall not be counted twice.
  bool HasSucceeded(std::string_view hook, const std::string& event_id) const;
  // What hooks kept (HookOutcome::kept) in earlier processes, in the order of its last change.
  std::vector<std::pair<std::string, KeptValue>> Kept() const;

  // Newest first.
  std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const;
  // One per hook, in order.
  std::vector<bus::v1::HookStatistics> Statistics() const;
  // Forgets the history, neither the statistics nor what has succeeded; tells on a thread of the chain how many executions there
  // were, when they are gone for good.
  void ClearExecutions(std::function<void(size_t)> done);

  // Waits until every hook that overran has returned, at most `timeout`: the names of those that have not.
  std::vector<std::string> WaitForOverruns(std::chrono::milliseconds timeout) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pvebus::hooks
