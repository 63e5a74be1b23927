#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "bus-service/core/event_log.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/journal_checkpointer.h"
#include "bus-service/store/journal_mark.h"
#include "bus-service/store/journal_tables.h"
#include "bus-service/store/segment_writer.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"

namespace pvebus::bus {

// The one thread that writes the journal, with group commit: whatever arrived while the last commit ran goes into the next one.
// Events and waiters are committed at once; what is merely saved travels with them, or after kLazyDelay.
//
// Made and destroyed by one thread, the bus's, which alone calls it; callbacks come back through `post`.
class JournalWriter {
 public:
  using Post = std::function<void(std::function<void()>)>;
  using Save = std::function<absl::Status(JournalTables&, JournalState&)>;

  static constexpr std::chrono::milliseconds kLazyDelay{20};
  static constexpr std::chrono::milliseconds kRetryDelay{500};  // after a commit that failed
  static constexpr size_t kBatchBytes = 8 << 20;                // events of one commit
  static constexpr uint64_t kDropEvents = 2048;                 // forgotten by one commit, and as many again as it stores

  struct Appending {
    std::shared_ptr<const Event> event;
    EventLog::AppendDone done;
  };
  // Whose journal it is. Called on the bus's thread.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Before their `done`s are called. The ids are of all of them; segments were closed at these ends.
    virtual void OnStored(const std::vector<Appending>& events, const std::vector<IdEntry>& ids,
                          const std::vector<Sequence>& segment_ends) = 0;
    // The newest come first.
    virtual void OnRefused(const Event& event) = 0;
    // Nothing can be stored any more.
    virtual void OnDamage(const absl::Status& status) = 0;
  };
  // What a journal was opened with.
  struct Start {
    std::unique_ptr<JournalTables> tables;
    std::unique_ptr<JournalMark> mark;
    JournalState state;
    SegmentWriter segments;
  };

  // Requires: `owner`, `checkpointer` and `logger` outlive the writer; `post` runs its argument on the bus's thread, or never.
  JournalWriter(Start start, Owner& owner, JournalCheckpointer& checkpointer, Post post, Logger& logger);
  // Commits what is there, if it can be; nobody is called back any more.
  ~JournalWriter();

  // As EventLog::Append.
  void Append(std::shared_ptr<const Event> event, EventLog::AppendDone done);
  void Enqueue(Save save);
  // Only the newest of a listener counts.
  void SaveProgress(ListenerId listener, Progress progress);
  void ForgetProgress(ListenerId listener);
  void DropEventsBefore(Sequence first);
  void WhenDurable(std::function<void(absl::Status)> done);
  // Something was saved that is not in the files yet.
  bool HasUnsaved() const;

 private:
  struct Batch {
    std::vector<Appending> appends;
    size_t append_bytes = 0;
    std::vector<Save> saves;
    std::map<ListenerId, Progress> progress;
    Sequence drop_before = 0;
    std::vector<std::function<void(absl::Status)>> waiters;
    uint64_t saved = 0;  // of `saved_`, when it was taken
    // What the commit made.
    std::vector<IdEntry> ids;
    std::vector<Sequence> segment_ends;

    bool urgent() const { return !appends.empty() || !waiters.empty(); }
    bool empty() const { return !urgent() && saves.empty() && progress.empty() && drop_before == 0; }
  };

  void Run();
  // False when there is nothing more to do and the end has come.
  bool TakeBatch(Batch& batch);
  void TakePending(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Commit(Batch& batch);
  absl::Status Write(Batch& batch);
  void Committed(Batch batch);
  void Failed(Batch batch, const absl::Status& status);
  void Refuse(const Batch& batch, const absl::Status& status);
  void PostIfAlive(std::function<void()> function);

  // The writer's thread only.
  const std::unique_ptr<JournalTables> tables_;
  const std::unique_ptr<JournalMark> mark_;
  JournalState state_;
  SegmentWriter segments_;
  bool mark_failed_ = false;

  Owner& owner_;
  JournalCheckpointer& checkpointer_;
  const Post post_;
  Logger& logger_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the bus's thread only

  mutable Mutex mutex_;
  CondVar changed_;
  Batch pending_ ABSL_GUARDED_BY(mutex_);
  uint64_t saved_ ABSL_GUARDED_BY(mutex_) = 0;     // counts what was saved
  uint64_t durable_ ABSL_GUARDED_BY(mutex_) = 0;   // of these, what is in the files
  bool refusing_ ABSL_GUARDED_BY(mutex_) = false;  // an append failed, and the bus's thread does not know yet
  SteadyTime not_before_ ABSL_GUARDED_BY(mutex_);  // after a failure
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool damaged_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pvebus::bus
