#include "bus-service/core/replayer.h"

#include <algorithm>

#include "bus-service/core/errors.h"
#include "bus-service/core/event_id.h"

namespace pvebus::bus {
namespace {

constexpr size_t kEventsPerRead = 1024;
constexpr size_t kBytesPerRead = 4 << 20;

}  // namespace

struct Replayer::Run {
  Command command;
  Done done;
  Sequence next = 0;
  Sequence until = 0;
  std::vector<Sequence> found;
};

absl::Status Replayer::CheckListeners(const Command& command) const {
  for (const std::string& name : command.listeners) {
    auto record = registry_.Find(name);
    if (!record.ok()) return record.status();
    if ((*record)->ephemeral) return ListenerIsEphemeral(name);
  }
  return absl::OkStatus();
}

void Replayer::Start(Command command, Done done) {
  if (auto status = CheckListeners(command); !status.ok()) return done(status);
  auto run = std::make_shared<Run>();
  run->command = std::move(command);
  run->done = std::move(done);
  run->until = parts_.ledger.journaled_sequence();
  if (run->command.until != 0) run->until = std::min(run->until, run->command.until);
  registry_.Resolve(run->command.from, [this, alive = std::weak_ptr<int>(alive_), run](absl::StatusOr<Sequence> from) {
    if (alive.expired()) return;
    if (!from.ok()) return run->done(from.status());
    run->next = *from;
    Collect(run);
  });
}

void Replayer::Collect(const std::shared_ptr<Run>& run) {
  if (run->next > run->until) return Save(run);
  parts_.log.Read(run->next, kEventsPerRead, kBytesPerRead, [this, alive = std::weak_ptr<int>(alive_), run](auto events) {
    if (alive.expired()) return;
    if (!events.ok()) return run->done(events.status());
    if (events->empty()) run->next = run->until + 1;
    for (const EventPtr& event : *events) {
      run->next = event->sequence + 1;
      if (event->sequence > run->until) break;
      const uint32_t types = run->command.event_types;
      if (types != 0 && (types & (1u << static_cast<int>(event->type))) == 0) continue;
      if (!run->command.filter.Matches(*event)) continue;
      if (run->found.size() == kMostEvents) return run->done(ReplayTooLarge(kMostEvents, event->sequence));
      run->found.push_back(event->sequence);
    }
    // Through the timers: what calls back at once must not nest, and others have a turn.
    parts_.timers.Schedule(parts_.clock.SteadyNow() + std::chrono::microseconds(1), [this, alive, run] {
      if (!alive.expired()) Collect(run);
    });
  });
}

void Replayer::Save(const std::shared_ptr<Run>& run) {
  const Command& command = run->command;
  if (auto status = CheckListeners(command); !status.ok()) return run->done(status);
  auto replayed = std::make_shared<Replayed>();
  replayed->event_count = run->found.size();
  replayed->delivery_count = run->found.size() * command.listeners.size();
  if (command.validate_only || run->found.empty()) return run->done(*replayed);
  replayed->replay_id = "replay-" + MakeEventId(parts_.clock.SystemNow(), parts_.random);
  for (const std::string& name : command.listeners) {
    Subscription& subscription = *(*registry_.Find(name))->subscription;
    std::vector<Replay> replays;
    replays.reserve(run->found.size());
    for (const Sequence sequence : run->found) {
      replays.push_back(
          {++parts_.counters.last_replay_number, subscription.id(), replayed->replay_id, sequence, command.dry_run, 0});
    }
    subscription.SaveProgress();  // after a crash, too, what had been settled comes again as a replay only
    parts_.states.SaveReplays(std::move(replays));
    subscription.AddReplays(run->found.size());
  }
  parts_.logger.Info("replay_started replay=%s events=%d listeners=%d dry_run=%d", replayed->replay_id, replayed->event_count,
                     command.listeners.size(), command.dry_run);
  parts_.states.WhenDurable([run, replayed](const absl::Status& durable) {
    if (!durable.ok()) return run->done(durable);
    run->done(*replayed);
  });
}

}  // namespace pvebus::bus
