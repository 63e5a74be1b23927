#pragma once

#include <memory>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/later_answer.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::bus {

// One TraceEvent call: finds the tree, then how each of its events stands, some per turn of the loop. Kept alive by what it waits
// for. The loop's thread. Requires: the bus and the loop outlive it.
class EventTree : public std::enable_shared_from_this<EventTree> {
 public:
  // Answers when the tree is there.
  static void Start(UnaryCall& call, const std::string& event_id, Bus& bus, EventLoop& loop);

 private:
  EventTree(UnaryCall& call, Bus& bus, EventLoop& loop) : answer_(call), bus_(bus), loop_(loop) {}

  void Describe();
  // False when it finds no room.
  bool Add(const Tracer::Node& node, absl::StatusOr<Publication*> publication);

  const LaterAnswer answer_;
  Bus& bus_;
  EventLoop& loop_;
  Tracer::Tree tree_;
  size_t next_ = 0;  // node that is described next
  size_t bytes_ = 0;
  v1::TraceEventResponse response_;
};

}  // namespace pvebus::bus
