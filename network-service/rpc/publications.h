#pragma once

#include <chrono>
#include <stop_token>
#include <vector>

#include "absl/status/statusor.h"
#include "network-service/core/apply.h"
#include "network-service/core/apply_store.h"
#include "sdk/client/outbox.h"
#include "sdk/client/publisher.h"

namespace pvebus::network {

// How long the bus is waited for.
struct PublicationLimits {
  std::chrono::milliseconds bus = std::chrono::seconds(5);         // that is away
  std::chrono::milliseconds listeners = std::chrono::seconds(15);  // the bus waits 10 s for them
  std::chrono::milliseconds ask = std::chrono::seconds(2);
};

// What the bus was told about applies, and how its listeners took it. Owned by main. Any thread; calls block.
class Publications {
 public:
  // Requires: all of them outlive it.
  Publications(ApplyStore& store, client::Outbox& outbox, const client::Publisher& publisher, PublicationLimits limits = {})
      : store_(store), outbox_(outbox), publisher_(publisher), limits_(limits) {}

  // Publishes what is owed and waits for the listeners of this apply's events, as a publisher does by default. A bus that is away
  // is waited for some seconds; it gets the events when it is back.
  absl::StatusOr<std::vector<Publication>> Await(const ApplyRecord& record);
  // As the bus knows it now, when it can be asked, else as it was heard last.
  absl::StatusOr<std::vector<Publication>> Refresh(const ApplyRecord& record);
  // As it was heard last.
  absl::StatusOr<std::vector<Publication>> Stored(const ApplyRecord& record) { return store_.Publications(record.apply_id); }

 private:
  ApplyStore& store_;
  client::Outbox& outbox_;
  const client::Publisher& publisher_;
  const PublicationLimits limits_;
};

}  // namespace pvebus::network
