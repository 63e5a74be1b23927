#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migration-service/core/migration_store.h"
#include "sdk/client/outbox.h"

namespace pvebus::migration {

// The step back that the bus must hear of, as an Outbox publishes it. Owned by main. Any thread.
class StepBackOutbox final : public client::OutboxStore {
 public:
  // Requires: `store` outlives it.
  explicit StepBackOutbox(MigrationStore& store) : store_(store) {}

  absl::StatusOr<std::vector<client::OutboxEntry>> Entries() override;
  absl::Status Remove(const std::string& key) override;

 private:
  MigrationStore& store_;
};

}  // namespace pvebus::migration
