#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/filter.h"
#include "bus-service/core/messages.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/registry.h"

namespace pvebus::bus {

// Has events of the journal delivered again to listeners that are named. One thread.
class Replayer {
 public:
  static constexpr uint64_t kMostEvents = 100'000;

  struct Command {
    std::vector<std::string> listeners;
    StartPosition from;
    Sequence until = 0;        // 0: the newest
    uint32_t event_types = 0;  // bit 1 << EventType; 0: all
    Filter filter;
    bool validate_only = false;
    bool dry_run = false;
  };
  struct Replayed {
    std::string replay_id;
    uint64_t event_count = 0;
    uint64_t delivery_count = 0;
  };
  using Done = std::function<void(absl::StatusOr<Replayed>)>;

  // Requires: both outlive this.
  Replayer(Parts& parts, Registry& registry) : parts_(parts), registry_(registry) {}

  // `done` is called during the call or later, when the replays are durable. OUT_OF_RANGE REPLAY_TOO_LARGE or SEQUENCE_COMPACTED,
  // NOT_FOUND LISTENER_NOT_FOUND, FAILED_PRECONDITION LISTENER_IS_EPHEMERAL.
  void Start(Command command, Done done);

 private:
  struct Run;

  absl::Status CheckListeners(const Command& command) const;
  void Collect(const std::shared_ptr<Run>& run);
  void Save(const std::shared_ptr<Run>& run);

  Parts& parts_;
  Registry& registry_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
