#include "sdk/hooks/hook_chain.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "sdk/base/nearest.h"
#include "sdk/base/utf8.h"
#include "sdk/hooks/event_line.h"
#include "sdk/hooks/hook_run.h"
#include "sdk/hooks/hook_workers.h"
#include "sdk/hooks/memory_hook_journal.h"
#include "sdk/hooks/overruns.h"

namespace pvebus::hooks {
namespace {

// As many as an acknowledgement has room for.
constexpr size_t kMaxHooks = 256;
constexpr size_t kMaxResourceBytes = 256;

using Hooks = std::vector<std::shared_ptr<const Hook>>;

bool IsHookName(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_allowed = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && is_letter(name.front()) && std::all_of(name.begin(), name.end(), is_allowed);
}

Hooks::const_iterator Find(const Hooks& hooks, std::string_view name) {
  return std::find_if(hooks.begin(), hooks.end(), [&](const auto& hook) { return hook->name == name; });
}

absl::Status HookNotFound(const Hooks& hooks, std::string_view name) {
  std::vector<std::string> known;
  for (const auto& hook : hooks) known.push_back(hook->name);
  return MakeError(absl::StatusCode::kNotFound, "HOOK_NOT_FOUND",
                   absl::StrFormat("there is no hook '%s'%s", name, DidYouMean(name, known)), {{"hook", std::string(name)}});
}

absl::Status CheckHook(const Hook& hook) {
  const std::map<std::string, std::string> metadata = {{"hook", hook.name}};
  if (!IsHookName(hook.name)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "HOOK_NAME_INVALID",
                     absl::StrFormat("'%s' is no name of a hook: ^[a-z][a-z0-9-]{0,62}$", hook.name), metadata);
  }
  if (!hook.run == !hook.run_parts || hook.time_limit <= std::chrono::milliseconds::zero()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "HOOK_INVALID",
                     absl::StrFormat("hook '%s' needs one thing to run and a time limit", hook.name), metadata);
  }
  return absl::OkStatus();
}

HookRecord DoneBefore(const std::string& hook, uint32_t attempt, const std::string& resource, const Clock& clock) {
  HookRecord record;
  record.start = clock.SystemNow();
  record.result.set_hook(hook);
  record.result.set_state(bus::v1::HOOK_STATE_SKIPPED);
  record.result.set_resource(CleanUtf8(resource, kMaxResourceBytes));
  record.result.set_message(absl::StrFormat("attempt %u has done it", attempt));
  record.result.mutable_duration();
  return record;
}

}  // namespace

struct HookChain::State {
  State(HookChainOptions chain_options, const Clock& chain_clock, std::unique_ptr<HookJournal> chain_journal)
      : options(chain_options), clock(chain_clock), journal(std::move(chain_journal)) {
    if (journal == nullptr) journal = std::make_unique<MemoryHookJournal>(options.history_size);
  }

  Hooks Snapshot() const {
    MutexLock lock(mu);
    return hooks;
  }

  const HookChainOptions options;
  const Clock& clock;
  std::unique_ptr<HookJournal> journal;  // constant after construction
  Overruns overruns;

  mutable Mutex mu;
  Hooks hooks ABSL_GUARDED_BY(mu);

  HookWorkers workers;  // last: joined before what its tasks use is gone
};

HookChain::HookChain(HookChainOptions options, const Clock& clock, std::unique_ptr<HookJournal> journal)
    : state_(std::make_unique<State>(options, clock, std::move(journal))) {}

HookChain::~HookChain() = default;

absl::Status HookChain::Add(Hook hook) {
  if (absl::Status status = CheckHook(hook); !status.ok()) return status;
  MutexLock lock(state_->mu);
  if (Find(state_->hooks, hook.name) != state_->hooks.end()) {
    return MakeError(absl::StatusCode::kAlreadyExists, "HOOK_EXISTS", absl::StrFormat("there is a hook '%s' already", hook.name),
                     {{"hook", hook.name}});
  }
  if (state_->hooks.size() == kMaxHooks) {
    return MakeError(absl::StatusCode::kResourceExhausted, "TOO_MANY_HOOKS",
                     absl::StrFormat("a chain has at most %d hooks; '%s' is one too many", kMaxHooks, hook.name),
                     {{"hook", hook.name}});
  }
  state_->hooks.push_back(std::make_shared<const Hook>(std::move(hook)));
  return absl::OkStatus();
}

absl::Status HookChain::Remove(std::string_view name) {
  {
    MutexLock lock(state_->mu);
    const auto found = Find(state_->hooks, name);
    if (found == state_->hooks.end()) return HookNotFound(state_->hooks, name);
    state_->hooks.erase(found);
  }
  state_->journal->ForgetStatistics(std::string(name));
  return absl::OkStatus();
}

std::vector<bus::v1::Hook> HookChain::List() const {
  std::vector<bus::v1::Hook> list;
  for (const auto& hook : state_->Snapshot()) {
    bus::v1::Hook& entry = list.emplace_back();
    entry.set_name(hook->name);
    entry.set_description(hook->description);
    *entry.mutable_time_limit() = google::protobuf::util::TimeUtil::MillisecondsToDuration(hook->time_limit.count());
  }
  return list;
}

absl::Status HookChain::CheckName(std::string_view name) const {
  const Hooks hooks = state_->Snapshot();
  return Find(hooks, name) == hooks.end() ? HookNotFound(hooks, name) : absl::OkStatus();
}

std::vector<bus::v1::HookResult> HookChain::Run(const client::EventContext& context, std::string* refusal) {
  const Hooks hooks = state_->Snapshot();
  const ChainRun run{.event_id = context.event().event_id(),
                     .attempt = context.attempt(),
                     .resource = ResourceOf(context.event()),
                     .dry_run = context.dry_run()};
  SucceededHooks succeeded;
  if (context.replay_id().empty() && !context.dry_run()) succeeded = state_->journal->SucceededFor(run.event_id);
  Hooks due;
  for (const auto& hook : hooks) {
    if (!succeeded.contains(hook->name)) due.push_back(hook);
  }

  const HookRunNeeds needs{state_->clock, state_->options.publisher, state_->workers, state_->overruns, *state_->journal};
  size_t saved = 0;
  const auto save = [&](std::vector<HookRecord> records) {
    saved += records.size();
    ChainRun part = run;
    part.records = std::move(records);
    state_->journal->Record(part);
  };
  std::vector<HookRecord> done = std::make_shared<HookRun>(std::move(due), context, needs)->Execute(save);

  std::vector<bus::v1::HookResult> results;
  std::vector<HookRecord> unsaved;
  size_t next_done = 0;
  for (const auto& hook : hooks) {
    const auto earlier = succeeded.find(hook->name);
    const bool ran_before = earlier != succeeded.end();
    HookRecord record = ran_before ? DoneBefore(hook->name, earlier->second, run.resource, state_->clock) : done[next_done++];
    if (refusal != nullptr && refusal->empty()) *refusal = record.refusal;
    results.push_back(record.result);
    results.insert(results.end(), record.recorded_parts.begin(), record.recorded_parts.end());
    results.insert(results.end(), record.details.begin(), record.details.end());
    if (ran_before || next_done > saved) unsaved.push_back(std::move(record));
  }
  save(std::move(unsaved));
  return results;
}

bool HookChain::HasSucceeded(std::string_view hook, const std::string& event_id) const {
  return state_->journal->SucceededFor(event_id).contains(std::string(hook));
}

std::vector<std::pair<std::string, KeptValue>> HookChain::Kept() const { return state_->journal->Kept(); }

std::vector<bus::v1::HookExecution> HookChain::Executions(const ExecutionQuery& query) const {
  return state_->journal->Executions(query);
}

std::vector<bus::v1::HookStatistics> HookChain::Statistics() const {
  std::vector<bus::v1::HookStatistics> statistics;
  for (const auto& hook : state_->Snapshot()) statistics.push_back(state_->journal->StatisticsOf(hook->name));
  return statistics;
}

void HookChain::ClearExecutions(std::function<void(size_t)> done) {
  state_->workers.Start([this, done = std::move(done)] { done(state_->journal->Clear()); });
}

std::vector<std::string> HookChain::WaitForOverruns(std::chrono::milliseconds timeout) const {
  return state_->overruns.Wait(std::chrono::steady_clock::now() + timeout);
}

}  // namespace pvebus::hooks
