#include "sdk/client/ack_deadlines.h"

#include <algorithm>

namespace pvebus::client {

void AckDeadlines::SetPolicy(Duration ack_deadline, Duration max_ack_extension) {
  ack_deadline_ = ack_deadline;
  max_ack_extension_ = max_ack_extension;
}

void AckDeadlines::Add(uint64_t delivery_id, SteadyTime now, Duration left) {
  // The bus's clock and ours may differ: never believe more than a whole deadline, nor less than none.
  left = std::clamp(left, Duration::zero(), ack_deadline_);
  const SteadyTime deadline = now + left;
  const Held held{.due = now + left / 2, .deadline = deadline, .limit = deadline + max_ack_extension_};
  next_due_ = held_.empty() ? held.due : std::min(next_due_, held.due);
  held_.insert_or_assign(delivery_id, held);
}

std::vector<AckDeadlines::Extension> AckDeadlines::Due(SteadyTime now) {
  std::vector<Extension> extensions;
  if (now < next_due()) return extensions;
  next_due_ = SteadyTime::max();
  for (auto& [delivery_id, held] : held_) {
    if (held.due <= now) {
      const SteadyTime deadline = std::min(now + ack_deadline_, held.limit);
      if (deadline > held.deadline && deadline > now) {
        extensions.push_back({delivery_id, deadline - now});
        held.deadline = deadline;
        held.due = now + (deadline - now) / 2;
      } else {
        held.due = SteadyTime::max();
      }
    }
    next_due_ = std::min(next_due_, held.due);
  }
  return extensions;
}

}  // namespace pvebus::client
