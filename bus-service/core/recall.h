#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/publish.h"
#include "bus-service/core/registry.h"

namespace pvebus::bus {

// Finds publications, and makes those again that are no longer in memory: who matched follows from what each listener wanted when
// the event was journaled, how it ended from the listener's progress and what was kept of its delivery. One thread.
class Recall {
 public:
  // The publication is valid during the call.
  using Done = std::function<void(absl::StatusOr<Publication*>)>;

  // Requires: all outlive this. `recalled` is called for each that has been made again.
  Recall(Parts& parts, const Registry& registry, std::function<void(Publication&)> recalled)
      : parts_(parts), registry_(registry), recalled_(std::move(recalled)) {}

  // `done` is called during the call or later. NOT_FOUND EVENT_NOT_FOUND.
  void Find(const EventKey& key, Done done);
  // Of an event that is in the journal.
  void Get(EventPtr event, Done done);

 private:
  void ReadDeliveries(EventPtr event);
  template <typename Listener>
  static void AddRow(const Listener& listener, const StateLog::Deliveries& deliveries, Publication& made);
  Publication& Make(const EventPtr& event, const StateLog::Deliveries& deliveries);

  Parts& parts_;
  const Registry& registry_;
  const std::function<void(Publication&)> recalled_;
  std::map<Sequence, std::vector<Done>> waiting_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
