#pragma once

#include <memory>
#include <string>

#include "bus-service/core/interests.h"
#include "bus-service/core/state_log.h"

namespace pvebus::bus {

// A listener that was deleted, for as long as the journal may have events that were for it: how they ended. Owned by Registry.
// One thread.
class FormerListener {
 public:
  // Requires: it is deleted.
  explicit FormerListener(const Recovery::Listener& kept);

  // As Subscription::Describe. What it had not settled has ended as EXPIRED, LISTENER_DELETED.
  bool Describe(const Event& event, const DeliveryRecord* kept, ListenerRow& row) const;

  ListenerId id() const { return id_; }
  const std::shared_ptr<const std::string>& shared_name() const { return name_; }
  // No later event was for it.
  Sequence deleted_after() const { return deleted_after_; }

 private:
  bool WasUnsettled(Sequence sequence) const;

  ListenerId id_;
  std::shared_ptr<const std::string> name_;
  std::shared_ptr<const std::string> instance_id_;
  Sequence born_after_;
  Sequence deleted_after_;
  Interests interests_;
  Progress progress_;
};

}  // namespace pvebus::bus
