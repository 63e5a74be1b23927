#pragma once

#include <stop_token>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "migration-service/core/migration_state.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"

namespace pvebus::migration {

// Writes down, every second and at the end, what was reported: what a crash loses is a second of reports. Owned by main. Has a
// thread of its own.
class ReportUpkeep {
 public:
  // Requires: both outlive it.
  ReportUpkeep(MigrationState& state, Logger& logger);
  ~ReportUpkeep();
  ReportUpkeep(const ReportUpkeep&) = delete;
  ReportUpkeep& operator=(const ReportUpkeep&) = delete;

 private:
  void Run(const std::stop_token& stop);
  void Keep();

  MigrationState& state_;
  Logger& logger_;
  bool failing_ = false;  // of the thread: it was said

  Mutex mu_;
  CondVar changed_;
  std::jthread thread_;  // last: it ends before the others go
};

}  // namespace pvebus::migration
