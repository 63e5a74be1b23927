#include "bus-service/core/policy.h"

#include <algorithm>
#include <cmath>

#include "bus-service/core/errors.h"

namespace pvebus::bus {

using std::chrono::hours;
using std::chrono::milliseconds;

absl::Status DeliveryPolicy::Validate() const {
  if (ack_deadline < milliseconds(10) || ack_deadline > hours(1)) {
    return FieldInvalid("delivery_policy.ack_deadline", "must be 10 ms .. 1 h");
  }
  if (max_ack_extension < Duration::zero() || max_ack_extension > hours(24)) {
    return FieldInvalid("delivery_policy.max_ack_extension", "must be 0 .. 24 h");
  }
  if (max_attempts < 1 || max_attempts > 1000) return FieldInvalid("delivery_policy.max_attempts", "must be 1 .. 1000");
  if (minimum_backoff < milliseconds(1) || minimum_backoff > hours(1)) {
    return FieldInvalid("delivery_policy.minimum_backoff", "must be 1 ms .. 1 h");
  }
  if (maximum_backoff < minimum_backoff || maximum_backoff > hours(24)) {
    return FieldInvalid("delivery_policy.maximum_backoff", "must be minimum_backoff .. 24 h");
  }
  if (!(backoff_multiplier >= 1.0 && backoff_multiplier <= 10.0)) {
    return FieldInvalid("delivery_policy.backoff_multiplier", "must be 1 .. 10");
  }
  return absl::OkStatus();
}

Duration DeliveryPolicy::Backoff(uint32_t failed_attempts, Random& random) const {
  const double growth = std::pow(backoff_multiplier, std::min<uint32_t>(failed_attempts - 1, 1000));
  const double wait =
      std::min(static_cast<double>(minimum_backoff.count()) * growth, static_cast<double>(maximum_backoff.count()));
  return Duration(static_cast<int64_t>(wait * random.Uniform(0.9, 1.1)));
}

}  // namespace pvebus::bus
