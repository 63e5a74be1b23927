#pragma once

#include <functional>

#include "absl/status/status.h"
#include "migration-service/core/endpoint.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/migration_store.h"
#include "migration-service/core/outcome_window.h"
#include "sdk/base/log.h"

namespace pvebus::migration {

// A call that somebody made.
struct CallReport {
  Endpoint endpoint;
  Implementation implementation = Implementation::kPerl;
  CallResult result = CallResult::kSucceeded;
  Duration latency{};
};

// Counts calls, and orders a step back when too many of the new implementation failed. Owned by main. Any thread.
class OutcomeReports {
 public:
  // `on_step_back`: the bus must hear of one. Requires: all of them outlive it.
  OutcomeReports(MigrationState& state, MigrationStore& store, OutcomeWindow& window, Logger& logger,
                 std::function<void()> on_step_back)
      : state_(state), store_(store), window_(window), logger_(logger), on_step_back_(std::move(on_step_back)) {}

  // Waits for the disk only when it orders a step back; an error is of that.
  absl::Status Take(const CallReport& report);

 private:
  absl::Status StepBack();

  MigrationState& state_;
  MigrationStore& store_;
  OutcomeWindow& window_;
  Logger& logger_;
  const std::function<void()> on_step_back_;
};

}  // namespace pvebus::migration
