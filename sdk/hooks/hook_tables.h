#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/hooks/hook_history.h"
#include "sdk/hooks/hook_journal.h"
#include "sdk/sqlite/database.h"

namespace pvebus::hooks {

// How many rows hooks.db has at most.
struct HookTableLimits {
  size_t executions = 1000;
  size_t successes = 200'000;
};

// What hooks.db had when it was opened.
struct RecoveredHooks {
  std::vector<bus::v1::HookExecution> executions;  // oldest first
  uint64_t last_execution_id = 0;
  std::map<std::string, HookCounts> counts;
  std::vector<std::pair<std::string, KeptValue>> kept;  // in the order of their last change
};

// One thing to write.
struct HookWrite {
  ChainRun run;
  std::vector<bus::v1::HookExecution> executions;  // of the records of `run` and their details
  uint64_t clear_up_to = 0;                        // executions with such an id or a smaller one are forgotten
  std::string forget_hook;                         // its statistics are
};

// Reads and writes the rows of hooks.db. Owned by the journal. One thread at a time. Requires: the schema is there.
class HookTables {
 public:
  // Requires: `database` outlives the tables.
  static absl::StatusOr<std::unique_ptr<HookTables>> Open(SqliteDatabase& database, HookTableLimits limits);
  ~HookTables();

  absl::StatusOr<RecoveredHooks> Load();
  // All of it in one durable commit, or nothing.
  absl::Status Write(const std::vector<const HookWrite*>& writes);

 private:
  struct Statements;

  HookTables(SqliteDatabase& database, HookTableLimits limits, std::unique_ptr<Statements> statements);
  absl::Status WriteRows(const HookWrite& write);
  absl::Status PutExecution(const bus::v1::HookExecution& execution);
  absl::Status PutStatistics(const HookRecord& record);
  absl::Status PutSuccess(const ChainRun& run, const HookRecord& record);
  absl::Status Keep(const KeptChange& change);
  absl::Status ForgetOldest();

  SqliteDatabase& database_;
  const HookTableLimits limits_;
  const std::unique_ptr<Statements> statements_;
};

// Looks up what has succeeded, beside the writer. One thread at a time.
class SuccessLookup {
 public:
  static absl::StatusOr<std::unique_ptr<SuccessLookup>> Open(const std::string& path, const std::string& vfs);
  absl::StatusOr<SucceededHooks> Find(const std::string& event_id);

 private:
  SuccessLookup(std::unique_ptr<SqliteDatabase> database, std::unique_ptr<SqliteStatement> find)
      : database_(std::move(database)), find_(std::move(find)) {}

  const std::unique_ptr<SqliteDatabase> database_;
  const std::unique_ptr<SqliteStatement> find_;  // destroyed before its database
};

}  // namespace pvebus::hooks
