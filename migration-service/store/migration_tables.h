#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migration-service/core/migration_store.h"
#include "sdk/sqlite/database.h"

namespace pvebus::migration {

// What the rows of migration.db mean. One thread at a time; no transactions of its own. A row that means nothing is DATA_LOSS.
class MigrationTables {
 public:
  // Requires: outlives this, and has the tables of MigrationSchema.
  explicit MigrationTables(SqliteDatabase& database) : database_(database) {}

  // Whether all rows mean something.
  absl::Status Check();

  absl::StatusOr<MigrationRecord> Record();
  absl::Status PutCounts(const MigrationRecord& record);

  // Newest first, with a number below `before`.
  absl::StatusOr<std::vector<PhaseChange>> Changes(uint64_t before, size_t limit);
  absl::StatusOr<std::optional<PhaseChange>> ChangeOf(const std::string& event_id);
  absl::Status AddChange(const PhaseChange& change);

  // False: it is there already.
  absl::StatusOr<bool> AddCounted(const std::string& event_id);
  // All but the newest `limit`.
  absl::Status ForgetOldestCounted(size_t limit);

  absl::Status PutStepBack(const PhaseOrder& order);
  absl::StatusOr<std::optional<PhaseOrder>> StepBack();
  absl::Status RemoveStepBack();
  // Only when it is of this event.
  absl::Status RemoveStepBackOf(const std::string& event_id);

 private:
  SqliteDatabase& database_;
};

}  // namespace pvebus::migration
