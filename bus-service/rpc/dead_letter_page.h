#pragma once

#include <memory>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/later_answer.h"
#include "pvebus/bus/v1/dead_letter_service.pb.h"

namespace pvebus::bus {

// One ListDeadLetters call: reads on until the page is full or enough letters were looked at. Kept alive by what it waits for.
// The loop's thread. Requires: the bus outlives it.
class DeadLetterPage : public std::enable_shared_from_this<DeadLetterPage> {
 public:
  // Answers when the page is there.
  static void Start(UnaryCall& call, v1::ListDeadLettersRequest request, Bus& bus);

 private:
  DeadLetterPage(UnaryCall& call, v1::ListDeadLettersRequest request, Bus& bus)
      : answer_(call), request_(std::move(request)), bus_(bus) {}

  absl::Status Check();
  void ReadOn();
  void Take(const DeadLetters::Page& page);
  void Finish(bool more);

  const LaterAnswer answer_;
  v1::ListDeadLettersRequest request_;  // without page_size and page_token
  Bus& bus_;
  Filter filter_;
  int page_size_ = 0;
  uint64_t after_ = 0;
  int reads_ = 0;
  size_t bytes_ = 0;
  v1::ListDeadLettersResponse response_;
};

}  // namespace pvebus::bus
