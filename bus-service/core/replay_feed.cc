#include "bus-service/core/replay_feed.h"

#include <algorithm>

namespace pvebus::bus {

void ReplayFeed::Restore(const Recovery::Listener& kept) {
  waiting_ = kept.replay_count;
  redrives_ = kept.redrive_count;
  redrive_id_ = kept.redrive_id;
}

void ReplayFeed::AddRedrive(const std::string& redrive_id) {
  ++waiting_;
  ++redrives_;
  redrive_id_ = redrive_id;
}

void ReplayFeed::Read(size_t max_replays, size_t max_bytes, Take take, std::function<void(const absl::Status&)> done) {
  reading_ = true;
  parts_.states.ReadReplays(
      listener_, read_until_, max_replays, max_bytes,
      [this, alive = std::weak_ptr<int>(alive_), take = std::move(take), done = std::move(done)](auto replays) {
        if (alive.expired()) return;
        reading_ = false;
        if (!replays.ok()) {
          parts_.logger.Error("replays_unreadable listener_id=%d error=\"%s\"", listener_, replays.status().ToString());
          return done(replays.status());
        }
        if (replays->empty()) waiting_ = 0;
        for (auto& [replay, event] : *replays) {
          read_until_ = replay.number;
          waiting_ -= std::min<uint64_t>(waiting_, 1);
          if (event) {
            take(std::move(replay), std::move(event));
          } else {
            parts_.logger.Warning("replay_lost replay=%s sequence=%d the journal has forgotten the event", replay.replay_id,
                                  replay.sequence);
            End(replay);
          }
        }
        done(absl::OkStatus());
      });
}

void ReplayFeed::End(const Replay& replay) {
  parts_.states.RemoveReplay(listener_, replay.number);
  if (replay.dead_letter_id == 0) return;
  redrives_ -= std::min<uint64_t>(redrives_, 1);
  if (redrives_ == 0) redrive_id_.clear();
}

}  // namespace pvebus::bus
