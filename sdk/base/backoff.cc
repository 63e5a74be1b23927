#include "sdk/base/backoff.h"

#include <algorithm>
#include <cassert>

namespace pvebus {

Backoff::Backoff(const BackoffPolicy& policy, Random& random)
    : policy_(policy), random_(random), nominal_(static_cast<double>(policy.minimum.count())) {
  assert(Duration::zero() <= policy.minimum && policy.minimum <= policy.maximum);
  assert(policy.multiplier >= 1 && 0 <= policy.jitter && policy.jitter <= 1);
}

Duration Backoff::Next() {
  const double maximum = static_cast<double>(policy_.maximum.count());
  const double low = nominal_ * (1 - policy_.jitter);
  const double high = std::min(nominal_ * (1 + policy_.jitter), maximum);
  // Doubles stay below the cap, so that the sequence cannot overflow however long it gets.
  nominal_ = std::min(nominal_ * policy_.multiplier, maximum);
  return Duration(static_cast<Duration::rep>(random_.Uniform(low, high)));
}

void Backoff::Reset() { nominal_ = static_cast<double>(policy_.minimum.count()); }

}  // namespace pvebus
