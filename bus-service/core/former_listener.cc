#include "bus-service/core/former_listener.h"

#include <algorithm>

#include "bus-service/core/row_errors.h"

namespace pvebus::bus {

FormerListener::FormerListener(const Recovery::Listener& kept)
    : id_(kept.id),
      name_(std::make_shared<const std::string>(kept.snapshot.name)),
      instance_id_(std::make_shared<const std::string>(kept.snapshot.instance_id)),
      born_after_(kept.snapshot.born_after),
      deleted_after_(*kept.snapshot.deleted_after),
      interests_(kept.interests),
      progress_(kept.progress) {}

bool FormerListener::WasUnsettled(Sequence sequence) const {
  if (sequence < progress_.wanted_again_until) return false;  // it was settled before, and to be sent again
  return sequence >= progress_.next_sequence ||
         std::binary_search(progress_.unsettled.begin(), progress_.unsettled.end(), sequence);
}

bool FormerListener::Describe(const Event& event, const DeliveryRecord* kept, ListenerRow& row) const {
  const Sequence sequence = event.sequence;
  if (sequence <= born_after_ || sequence > deleted_after_ || !interests_.MatchedThen(event)) return false;
  row.instance_id = instance_id_;
  if (kept) {
    TakeRecord(*kept, row);
    if (IsFinal(kept->state)) return true;
  }
  if (WasUnsettled(sequence)) {
    row.state = DeliveryState::kExpired;
    row.error = std::make_unique<ListenerError>(DeletedError());
    return true;
  }
  row.state = HasGapAt(progress_.gaps, sequence) ? DeliveryState::kSkipped : DeliveryState::kSucceeded;
  if (row.state == DeliveryState::kSucceeded) row.attempt = std::max<uint32_t>(row.attempt, 1);
  return true;
}

}  // namespace pvebus::bus
