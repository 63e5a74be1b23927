#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pvebus/bus/v1/types.pb.h"
#include "sdk/base/clock.h"
#include "sdk/client/event_context.h"
#include "sdk/hooks/hook_history.h"

namespace pvebus::hooks {

inline constexpr size_t kMaxHookDetails = 100;

// One of several things that a hook acted on for one event: a row of its own in the result and in the history.
struct HookDetail {
  bus::v1::HookState state = bus::v1::HOOK_STATE_UNCHANGED;
  std::string resource;
  std::string before;
  std::string after;
  std::string message;
  std::optional<int32_t> exit_code;  // of a program that was run
  std::string output;                // what that wrote; the last 4096 bytes stay
  Duration duration{};
};

// What a hook says it did.
struct HookOutcome {
  bus::v1::HookState state = bus::v1::HOOK_STATE_UNCHANGED;
  std::string resource;
  std::string before;
  std::string after;
  std::string message;
  std::optional<int32_t> exit_code;  // as HookDetail
  std::string output;
  // UPPER_SNAKE, of a hook that FAILED: the event itself is wrong, and no other attempt changes that. It becomes a dead letter.
  std::string refusal;
  // Follow the hook's own row, which decides whether it has succeeded. Of more than kMaxHookDetails those that FAILED
  // stay first, then those that CHANGED, and the last row counts what was left out.
  std::vector<HookDetail> details;
  // What the service keeps of this event beside the history: saved together with the outcome, once per event and hook, and only
  // when the hook has succeeded (CHANGED, UNCHANGED, SKIPPED).
  std::vector<KeptChange> kept;
};

// The parts of a hook's work for one event, for example the programs that it runs. A part that is recorded as CHANGED, UNCHANGED
// or SKIPPED has succeeded for its event, whether the hook does so or not, and the hook leaves it out when the event comes again.
// Given to a hook for one call of it. Any thread.
class HookParts {
 public:
  virtual ~HookParts() = default;

  // The attempt that has done `part`. Nothing when it is to be done: also in a replay and in a dry run.
  virtual std::optional<uint32_t> DoneIn(std::string_view part) const = 0;
  // Records the part named `part.resource`, which ended now: it is in the history, and survives the process, when this returns.
  // It follows the hook's own row in the result, even when the hook then overruns or throws: it is for nobody to give again in
  // HookOutcome::details. It is no success when the hook was asked to stop, or in a dry run.
  virtual void Record(const HookDetail& part) = 0;
};

// One named piece of work for an event. `run` observes `stop`: it is requested when the time limit has passed or the answer
// would no longer count, and what the hook returns after the limit is forgotten. A hook that throws or overruns is FAILED; the
// other hooks run all the same. `run` is called by several threads at once, for events of different ordering keys. The context
// it gets is its own: an overrunning hook may go on using it, and its parts.
struct Hook {
  std::string name;         // ^[a-z][a-z0-9-]{0,62}$
  std::string description;  // for eyes
  std::chrono::milliseconds time_limit = std::chrono::seconds(10);
  std::function<HookOutcome(const client::EventContext&, std::stop_token stop)> run;
  // In place of `run`, for a hook whose parts succeed one by one.
  std::function<HookOutcome(const client::EventContext&, HookParts& parts, std::stop_token stop)> run_parts;
};

}  // namespace pvebus::hooks
