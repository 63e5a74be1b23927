#pragma once

#include <memory>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/later_answer.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::bus {

// One ListEvents call: looks through a part of the journal, some events per turn of the loop, until the page is full or enough
// events were looked at. Kept alive by what it waits for. The loop's thread. Requires: the bus and the loop outlive it.
class EventPage : public std::enable_shared_from_this<EventPage> {
 public:
  // Answers when the page is there.
  static void Start(UnaryCall& call, v1::ListEventsRequest request, Bus& bus, EventLoop& loop);

 private:
  EventPage(UnaryCall& call, v1::ListEventsRequest request, Bus& bus, EventLoop& loop)
      : answer_(call), request_(std::move(request)), bus_(bus), loop_(loop) {}

  absl::StatusOr<StartPosition> Check();
  void ReadOn();
  void Take(const std::vector<EventPtr>& events);
  // Goes over what is lost at `next_`, and says so.
  void PassLost();
  // False when it finds no room.
  bool Add(const Event& event);
  void Finish(bool more);

  const LaterAnswer answer_;
  v1::ListEventsRequest request_;  // without page_size and page_token
  Bus& bus_;
  EventLoop& loop_;
  int page_size_ = 0;
  Filter filter_;
  uint32_t event_types_ = 0;
  bool turned_ = false;  // not the first page
  Sequence next_ = 0;
  Sequence end_ = 0;  // the last one that is looked at
  size_t looked_at_ = 0;
  size_t bytes_ = 0;
  v1::ListEventsResponse response_;
};

}  // namespace pvebus::bus
