#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "bus-service/core/parts.h"
#include "bus-service/core/publish.h"

namespace pvebus::bus {

// Finds out what a publish has to do with events that are there: whether it is a repetition, and who its parent is. Nearly always
// that is decided in memory; when the journal has to look, what comes meanwhile waits behind, so that the order stays. One
// thread.
class Intake {
 public:
  struct Known {
    EventPtr by_event_id;
    EventPtr by_request_id;
    EventPtr parent;
  };
  using Accept = std::function<void(PublishCommand command, const Known& known, PublishDone done)>;

  // Requires: `parts` outlives this.
  Intake(Parts& parts, Accept accept) : parts_(parts), accept_(std::move(accept)) {}

  void Take(PublishCommand command, PublishDone done);
  // Those of the caller that wait here are told CANCELLED, and not stored.
  void Leave(const void* caller);
  void FailAll(const absl::Status& status);
  bool empty() const { return held_.empty(); }

 private:
  struct Held {
    PublishCommand command;
    PublishDone done;
    Known known;
    absl::Status status;
    int looked = 0;  // how many of the three ids have been looked for
    bool looking = false;
  };

  bool InMemory(const PublishCommand& command, Known& known) const;
  void Work();
  void LookOn(const std::shared_ptr<Held>& held);

  Parts& parts_;
  const Accept accept_;
  std::deque<std::shared_ptr<Held>> held_;  // oldest first
  bool working_ = false;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
