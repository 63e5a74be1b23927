#pragma once

#include <deque>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/server_stream.h"

namespace pvebus::bus {

// One WatchEvents call: follows the journal with a cursor of its own, one event per message. The loop's thread. Requires: the bus
// outlives it.
class WatchStream final : public ServerStream {
 public:
  WatchStream(Host& host, Bus& bus) : ServerStream(host), bus_(bus) {}

 private:
  absl::Status Begin(const grpc::ByteBuffer& request) override;
  std::optional<grpc::ByteBuffer> Next() override;
  // Reads on, once: what is left is for the loop's next turn.
  void Fill();
  void Take(std::vector<EventPtr> events);
  // Goes over what is lost at `next_sequence_`; the next message says so.
  void PassLost();

  Bus& bus_;
  Filter filter_;
  uint32_t event_types_ = 0;
  uint64_t left_ = UINT64_MAX;  // events until the stream ends
  Sequence next_sequence_ = 0;  // 0: not known yet
  struct Matched {
    EventPtr event;
    std::vector<Gap> lost;  // since the one before
  };
  std::deque<Matched> matched_;
  std::vector<Gap> lost_;  // since the last one that matched
  bool reading_ = false;
};

}  // namespace pvebus::bus
