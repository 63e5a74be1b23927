#pragma once

#include <sqlite3.h>

#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// Moves what was committed from the WAL into journal.db, on a thread and a connection of its own, so that no commit waits for it.
// When commits come faster than that, the writer itself waits now and then: the WAL stays bounded.
//
// Watch and Wake are the writer's thread's, the rest the owner's.
class JournalCheckpointer {
 public:
  static constexpr int kPages = 1000;                // of the WAL, before there is something to do
  static constexpr int kMostPages = 40 << 20 >> 13;  // 40 MiB of pages of 8 KiB: from here on the writer helps

  // Requires: `logger` outlives this.
  JournalCheckpointer(std::unique_ptr<SqliteDatabase> database, Logger& logger);
  ~JournalCheckpointer();
  JournalCheckpointer(const JournalCheckpointer&) = delete;
  JournalCheckpointer& operator=(const JournalCheckpointer&) = delete;

  // Learns from now on how long the WAL is after each commit of this connection, the writer's.
  void Watch(SqliteDatabase& writer);
  // After a commit: sees whether there is enough to do.
  void Wake();

 private:
  void Run();

  const std::unique_ptr<SqliteDatabase> database_;
  Logger& logger_;

  // The writer's thread.
  SqliteDatabase* writer_ = nullptr;
  int wal_pages_ = 0;
  int done_pages_ = 0;  // how long the WAL was when it was checkpointed last

  Mutex mutex_;
  CondVar changed_;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pvebus::bus
