#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/publication.h"

namespace pvebus::bus {

struct PublishCommand {
  std::shared_ptr<Event> event;  // event_id empty: the bus makes one
  std::string request_id;
  WaitPolicy wait_policy = WaitPolicy::kFirstAttempt;
  Duration wait{0};    // how long to wait at most, limits applied
  SteadyTime until{};  // the end of the wait; set by the bus
  bool validate_only = false;
  std::vector<std::string> required_listeners;
  std::optional<Sequence> expected_last_sequence;
  const void* caller = nullptr;  // who may Leave
};

struct PublishReply {
  const Publication* publication = nullptr;  // valid during the call of PublishDone
  bool duplicate = false;
};
using PublishDone = std::function<void(absl::StatusOr<PublishReply>)>;

struct EventKey {
  enum class Kind : uint8_t { kEventId, kRequestId, kSequence };
  Kind kind = Kind::kEventId;
  std::string id;
  Sequence sequence = 0;
};

}  // namespace pvebus::bus
