#include "sdk/hooks/hook_run.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/hooks/hook_result.h"
#include "sdk/hooks/journaled_parts.h"

namespace pvebus::hooks {
namespace {

// Hooks that return sooner share one commit.
constexpr std::chrono::milliseconds kSaveAfter{20};

bus::v1::Delivery CopyOf(const client::EventContext& context) {
  bus::v1::Delivery delivery;
  *delivery.mutable_event() = context.event();
  delivery.set_attempt(context.attempt());
  delivery.set_max_attempts(context.max_attempts());
  delivery.set_replay_id(context.replay_id());
  delivery.set_dry_run(context.dry_run());
  return delivery;
}

HookOutcome Failed(std::string message) { return {.state = bus::v1::HOOK_STATE_FAILED, .message = std::move(message)}; }

}  // namespace

HookRun::HookRun(std::vector<std::shared_ptr<const Hook>> hooks, const client::EventContext& context, HookRunNeeds needs)
    : hooks_(std::move(hooks)),
      delivery_(CopyOf(context)),
      caller_stop_(context.stop()),
      needs_(needs),
      records_(hooks_.size()) {}

std::vector<HookRecord> HookRun::Execute(const Save& save) {
  if (hooks_.empty()) return {};
  StartWorker(0);
  while (true) {
    std::stop_source overrun;
    size_t next = 0;
    {
      MutexLock lock(mu_);
      if (WaitForCurrent(save)) return records_;
      overrun = current_stop_;
      GiveUpOn(current_);
      next = current_ + 1;
      done_ = next == hooks_.size();
    }
    // Not under the lock: this runs the hook's own stop callbacks.
    overrun.request_stop();
    if (next < hooks_.size()) StartWorker(next);
  }
}

bool HookRun::WaitForCurrent(const Save& save) {
  while (!done_ && std::chrono::steady_clock::now() < deadline_) {
    const SteadyTime next_look = std::chrono::steady_clock::now() + kSaveAfter;
    waiting_until_ = std::min(deadline_, next_look);
    if (changed_.WaitUntil(mu_, waiting_until_) || std::chrono::steady_clock::now() < next_look || saved_ >= current_) continue;
    const auto begin = records_.begin();
    std::vector<HookRecord> complete(begin + static_cast<std::ptrdiff_t>(saved_), begin + static_cast<std::ptrdiff_t>(current_));
    saved_ = current_;
    mu_.Unlock();
    save(std::move(complete));
    mu_.Lock();
  }
  return done_;
}

void HookRun::StartWorker(size_t first) {
  uint64_t turn = 0;
  {
    MutexLock lock(mu_);
    turn = turn_;
  }
  needs_.workers.Start([self = shared_from_this(), first, turn] { self->Work(first, turn); });
}

void HookRun::Work(size_t first, uint64_t turn) {
  for (size_t index = first; index < hooks_.size(); ++index) {
    std::stop_source stop;
    if (!BeginHook(index, stop)) continue;
    if (!EndHook(index, turn, Call(index, turn, stop))) {
      needs_.overruns.End(hooks_[index]->name);
      return;
    }
  }
  MutexLock lock(mu_);
  done_ = true;
  changed_.NotifyAll();
}

bool HookRun::BeginHook(size_t index, const std::stop_source& stop) {
  const Hook& hook = *hooks_[index];
  const std::string busy_with = needs_.overruns.EventOf(hook.name);
  MutexLock lock(mu_);
  HookRecord& record = records_[index];
  record.start = needs_.clock.SystemNow();
  if (!busy_with.empty()) {
    Fill(record, hook, Failed(absl::StrFormat("not run: it is still running for event %s, beyond its time limit", busy_with)));
    return false;
  }
  record.ran = true;
  current_ = index;
  current_stop_ = stop;
  current_start_ = needs_.clock.SteadyNow();
  deadline_ = std::chrono::steady_clock::now() + hook.time_limit;
  if (deadline_ < waiting_until_) changed_.NotifyAll();
  return true;
}

bool HookRun::EndHook(size_t index, uint64_t turn, const HookOutcome& outcome) {
  MutexLock lock(mu_);
  if (turn != turn_) return false;
  deadline_ = SteadyTime::max();
  records_[index].duration = needs_.clock.SteadyNow() - current_start_;
  records_[index].interrupted = caller_stop_.stop_requested();
  Fill(records_[index], *hooks_[index], outcome);
  return true;
}

HookOutcome HookRun::Call(size_t index, uint64_t turn, std::stop_source& stop) {
  const Hook& hook = *hooks_[index];
  const std::stop_callback forward(caller_stop_, [&stop] { stop.request_stop(); });
  const client::EventContext context(delivery_, needs_.publisher, stop.get_token());
  try {
    HookOutcome outcome = hook.run ? hook.run(context, stop.get_token()) : CallParts(index, turn, context);
    if (!IsState(outcome.state)) return Failed(absl::StrFormat("it ended with the unknown state %d", outcome.state));
    const auto unknown = std::find_if(outcome.details.begin(), outcome.details.end(),
                                      [](const HookDetail& detail) { return !IsState(detail.state); });
    if (unknown == outcome.details.end()) return outcome;
    return Failed(absl::StrFormat("it ended %s with the unknown state %d", unknown->resource, unknown->state));
  } catch (const std::exception& exception) {
    return Failed(absl::StrFormat("it threw: %s", exception.what()));
  } catch (...) {
    return Failed("it threw something that is no exception");
  }
}

HookOutcome HookRun::CallParts(size_t index, uint64_t turn, const client::EventContext& context) {
  const Hook& hook = *hooks_[index];
  JournaledParts parts(hook.name, context, needs_.clock, needs_.journal, [&](const bus::v1::HookResult& row) {
    MutexLock lock(mu_);
    if (turn == turn_) records_[index].recorded_parts.push_back(row);
  });
  return hook.run_parts(context, parts, context.stop());
}

void HookRun::GiveUpOn(size_t index) {
  const Hook& hook = *hooks_[index];
  needs_.overruns.Begin(hook.name, delivery_.event().event_id());
  ++turn_;
  deadline_ = SteadyTime::max();
  records_[index].duration = needs_.clock.SteadyNow() - current_start_;
  Fill(records_[index], hook,
       Failed(absl::StrFormat("it took longer than its time limit of %d ms and was asked to stop", hook.time_limit.count())));
}

void HookRun::Fill(HookRecord& record, const Hook& hook, const HookOutcome& outcome) const {
  record.result = ResultOf(hook.name, outcome, record.duration);
  for (const HookDetail& detail : outcome.details) record.details.push_back(ResultOf(hook.name, detail));
  record.details = Bounded(std::move(record.details));
  record.recorded_parts = Bounded(std::move(record.recorded_parts));
  record.kept = outcome.kept;
  if (outcome.state == bus::v1::HOOK_STATE_FAILED) record.refusal = outcome.refusal;
}

}  // namespace pvebus::hooks
