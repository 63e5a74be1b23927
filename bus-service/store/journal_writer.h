#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "bus-service/core/event_log.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/journal_tables.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/sqlite/database.h"

namespace pvebus::bus {

// The one thread that writes the journal, with group commit: whatever arrived while the last commit ran goes into the next one.
// Events and waiters are committed at once; what is merely saved travels with them, or after kLazyDelay.
//
// Made and destroyed by one thread, the bus's, which alone calls it; callbacks come back through `post`.
class JournalWriter {
 public:
  using Post = std::function<void(std::function<void()>)>;
  using Save = std::function<absl::Status(JournalTables&)>;

  static constexpr std::chrono::milliseconds kLazyDelay{20};
  static constexpr std::chrono::milliseconds kRetryDelay{500};  // after a commit that failed

  // Requires: `logger` outlives the writer; `post` runs its argument on the bus's thread, or never once the bus is gone.
  JournalWriter(std::unique_ptr<SqliteDatabase> database, std::unique_ptr<JournalTables> tables, Post post, Logger& logger);
  // Commits what is there, if it can be; nobody is called back any more.
  ~JournalWriter();

  // As EventLog::Append.
  void Append(std::shared_ptr<const Event> event, EventLog::AppendDone done);
  void Enqueue(Save save);
  // Only the newest of a listener counts.
  void SaveProgress(ListenerId listener, Progress progress);
  void ForgetProgress(ListenerId listener);
  // Events before `first`; the highest sequence ever given out is kept beside them.
  void DropEventsBefore(Sequence first, Sequence last_sequence);
  void WhenDurable(std::function<void(absl::Status)> done);

 private:
  struct Appending {
    std::shared_ptr<const Event> event;
    EventLog::AppendDone done;
  };
  struct Batch {
    std::vector<Appending> appends;
    std::vector<Save> saves;
    std::map<ListenerId, Progress> progress;
    Sequence drop_before = 0;
    Sequence last_sequence = 0;
    std::vector<std::function<void(absl::Status)>> waiters;

    bool urgent() const { return !appends.empty() || !waiters.empty(); }
    bool empty() const { return !urgent() && saves.empty() && progress.empty() && drop_before == 0; }
  };

  void Run();
  // False when there is nothing more to do and the end has come.
  bool TakeBatch(Batch& batch);
  absl::Status Commit(const Batch& batch);
  void Committed(Batch batch);
  void Failed(Batch batch, const absl::Status& status);

  const std::unique_ptr<SqliteDatabase> database_;
  const std::unique_ptr<JournalTables> tables_;
  const Post post_;
  Logger& logger_;

  Mutex mutex_;
  CondVar changed_;
  Batch pending_ ABSL_GUARDED_BY(mutex_);
  bool refusing_ ABSL_GUARDED_BY(mutex_) = false;  // an append failed, and the bus's thread does not know yet
  SteadyTime not_before_ ABSL_GUARDED_BY(mutex_);  // after a failure
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pvebus::bus
