#pragma once

#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// Moves what was committed from the WAL into journal.db, on a thread and a connection of its own, so that no commit waits for it.
// The WAL begins again by itself when everything is moved; when commits come without a pause the writer moves the little that is
// left, so that the WAL stays within the room that it has from the start, and when they come faster than they are moved it waits
// now and then: the WAL stays below kMostPages, the commits that our own short reads hold it up for, and one more; together less
// than kWalBytes. Only a foreign program that reads journal.db in one long transaction can hold it up for longer: that is logged,
// costs the writer kPatience per kPages, and what the WAL has grown by is given back when it ends.
//
// Watch and Wake are the writer's thread's, the rest the owner's.
class JournalCheckpointer {
 public:
  static constexpr int kPages = 1000;                         // of the WAL, before there is something to do
  static constexpr int64_t kRoomBytes = 12 << 20;             // which the WAL has from the start
  static constexpr int kMostPages = 40 << 20 >> 13;           // 40 MiB of pages of 8 KiB: from here on the writer helps
  static constexpr int64_t kWalBytes = 64 << 20;              // a longer file is cut when the WAL begins again
  static constexpr int kFewPages = 64;                        // left after a checkpoint: the writer moves them
  static constexpr std::chrono::milliseconds kPatience{250};  // of the writer, with those who read
  static constexpr std::chrono::milliseconds kAttempt{10};

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
  void Move();
  // Moves everything into journal.db and lets the WAL begin again, unless somebody reads for too long.
  void Restart(std::chrono::milliseconds patience);

  const std::unique_ptr<SqliteDatabase> database_;
  Logger& logger_;

  // The writer's thread.
  SqliteDatabase* writer_ = nullptr;
  int wal_pages_ = 0;
  int done_pages_ = 0;               // how long the WAL was when it was checkpointed last
  int restart_pages_ = kMostPages;   // how long it must be for the writer to help
  int told_pages_ = 2 * kMostPages;  // how long it must be for the next line about it

  Mutex checkpointing_;  // held while it lasts: a second one at the same time is refused at once

  Mutex mutex_;
  CondVar changed_;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;

  std::atomic<int> moved_pages_ = 0;  // of the WAL as it is now

  std::thread thread_;
};

}  // namespace pvebus::bus
