#include "bus-service/core/retention.h"

#include "bus-service/core/errors.h"

namespace pvebus::bus {
namespace {

// More than come between two runs, however few a chunk has.
constexpr uint64_t kEventsAtOnce = 1024;

}  // namespace

bool Retention::OverLimits(const EventLog::Chunk& chunk, const EventLog::Stats& stats) const {
  const Limits& limits = parts_.limits;
  if (limits.retention_count != 0 && stats.event_count - chunk.event_count >= limits.retention_count) return true;
  if (limits.retention_bytes != 0 && stats.event_bytes - chunk.event_bytes >= limits.retention_bytes) return true;
  return limits.retention_age.count() != 0 && chunk.newest < parts_.clock.SystemNow() - limits.retention_age;
}

bool Retention::MayGo(const EventLog::Chunk& chunk) {
  const ListenerRecord* slowest = registry_.Slowest();
  if (!slowest || slowest->subscription->floor() >= chunk.end) return true;
  const uint64_t behind = parts_.ledger.journaled_sequence() + 1 - chunk.end;
  if (parts_.limits.retention_backlog == 0 || behind < parts_.limits.retention_backlog) return false;
  registry_.GiveUpBefore(chunk.end);
  return true;
}

void Retention::Drop(const EventLog::Chunk& chunk) {
  parts_.ledger.DropBefore(chunk.end, [this](Publication& publication) { parts_.timers.Cancel(publication.expire_timer); });
  parts_.log.DropOldestChunk();
  registry_.ForgetFormer(chunk.end);
}

void Retention::Run() {
  const Limits& limits = parts_.limits;
  if (limits.retention_count == 0 && limits.retention_bytes == 0 && limits.retention_age.count() == 0) return;
  for (uint64_t dropped = 0; dropped < kEventsAtOnce;) {
    const auto chunk = parts_.log.OldestChunk();
    if (!chunk || chunk->end > parts_.ledger.journaled_sequence() + 1) return;
    if (!OverLimits(*chunk, parts_.log.GetStats()) || !MayGo(*chunk)) return;
    dropped += chunk->event_count;
    Drop(*chunk);
  }
}

absl::Status Retention::MakeRoom(size_t bytes) {
  while (!parts_.log.HasRoomFor(bytes)) {
    const auto chunk = parts_.log.OldestChunk();
    const ListenerRecord* slowest = registry_.Slowest();
    const bool settled = chunk && chunk->end <= parts_.ledger.journaled_sequence() + 1 &&
                         (!slowest || slowest->subscription->floor() >= chunk->end);
    if (!settled) {
      return JournalFull(parts_.log.GetStats().max_event_bytes, slowest ? slowest->subscription->name() : std::string());
    }
    Drop(*chunk);
  }
  return absl::OkStatus();
}

}  // namespace pvebus::bus
