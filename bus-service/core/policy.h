#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "sdk/base/clock.h"
#include "sdk/base/random.h"

namespace pvebus::bus {

// How patient the bus is with a listener; pvebus.bus.v1.DeliveryPolicy with every default filled in.
struct DeliveryPolicy {
  Duration ack_deadline = std::chrono::seconds(30);
  Duration max_ack_extension = std::chrono::minutes(10);
  uint32_t max_attempts = 10;
  Duration minimum_backoff = std::chrono::seconds(1);
  Duration maximum_backoff = std::chrono::seconds(60);
  double backoff_multiplier = 2.0;

  // INVALID_ARGUMENT naming field and limit.
  absl::Status Validate() const;
  // The wait after the `failed_attempts`th failure, with 10 % jitter. Requires: failed_attempts >= 1.
  Duration Backoff(uint32_t failed_attempts, Random& random) const;
};

}  // namespace pvebus::bus
