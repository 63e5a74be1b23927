#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/event_log.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/event_tail.h"
#include "bus-service/store/id_hash.h"
#include "bus-service/store/journal_checkpointer.h"
#include "bus-service/store/journal_files.h"
#include "bus-service/store/journal_reader.h"
#include "bus-service/store/journal_writer.h"

namespace pvebus::bus {

// The durable journal: events, listeners and dead letters in `journal.db` of a data directory that one bus has to itself. What it
// may hold is bounded; in memory are the newest events, where the others are, and filters over their ids. The bus's thread only.
//
// Damaged: nothing is stored any more, what can be read is; GetStats says what is not as it was written.
class SqliteEventLog final : public EventLog, public StateLog, private JournalWriter::Owner {
 public:
  struct Opened {
    std::unique_ptr<SqliteEventLog> log;
    Recovery recovery;
  };
  static constexpr size_t kTailBytes = 16 << 20;

  // Makes the directory (mode 0700) and the files where they are missing. FAILED_PRECONDITION when another bus is using it, or
  // the file is not this bus's; PERMISSION_DENIED and RESOURCE_EXHAUSTED. A damaged one is opened, read-only; unless the operator
  // accepts that what is damaged is lost: then everything is read, and what cannot be is deleted, named among the losses from
  // then on; listeners that had not settled lost events have an incident.
  static absl::StatusOr<Opened> Open(const std::string& directory, size_t max_bytes, JournalWriter::Post post, Logger& logger,
                                     bool accept_data_loss = false, const std::string& vfs = {});
  ~SqliteEventLog() override;

  void Append(std::shared_ptr<Event> event, AppendDone done) override;
  void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) override;
  void FindByEventId(const std::string& event_id, FindDone done) override;
  void FindByRequestId(const std::string& request_id, FindDone done) override;
  bool MayHaveEventId(const std::string& event_id) const override;
  bool MayHaveRequestId(const std::string& request_id) const override;
  void FindByTime(SystemTime time, SequenceDone done) override;
  void ReadChildren(Sequence parent, size_t max_events, ReadDone done) override;
  void Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) override;
  void Verify(std::stop_token stop, VerifyProgress progress) override;
  bool HasRoomFor(size_t bytes) const override;
  std::optional<Chunk> OldestChunk() const override;
  void DropOldestChunk() override;
  bool read_only() const override { return read_only_; }
  const LostRanges& lost() const override { return lost_; }
  Sequence first_sequence() const override { return segments_.first_sequence(); }
  Stats GetStats() const override;
  void Close() override;

  void SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) override;
  void SaveInterest(ListenerId listener, const Interest& interest) override;
  void SaveProgress(ListenerId listener, Progress progress) override;
  void SaveDelivery(ListenerId listener, DeliveryRecord delivery) override;
  void SaveRedriven(ListenerId listener, DeliveryRecord delivery) override;
  void AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) override;
  void SaveDeadLetter(DeadLetter letter) override;
  void RemoveDeadLetter(uint64_t id) override;
  void SaveReplays(std::vector<Replay> replays) override;
  void RemoveReplay(ListenerId listener, uint64_t number) override;
  void DropWaiting(ListenerId listener) override;
  void DropListener(ListenerId listener) override;
  void WhenDurable(std::function<void(absl::Status)> done) override;
  void ReadDeliveries(Sequence sequence, DeliveriesDone done) override;
  void ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) override;
  void ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes, ReplaysDone done) override;

 private:
  // What an id is looked up by.
  struct Key {
    const std::string* id = nullptr;
    uint64_t hash = 0;
    bool is_event_id = false;
    bool Matches(const Event& event) const { return *id == (is_event_id ? event.event_id : event.request_id); }
  };
  // What memory knows of an id: the event, or where else to look.
  struct Lookup {
    EventPtr event;
    std::vector<Sequence> sequences;
    std::vector<uint64_t> blocks;
    std::vector<SegmentIndex::Range> runs;

    bool elsewhere() const { return !sequences.empty() || !blocks.empty() || !runs.empty(); }
  };

  SqliteEventLog(std::unique_ptr<DirectoryLock> lock, size_t max_bytes, JournalWriter::Post post, Logger& logger,
                 LoadedJournal loaded);

  absl::Status Start(JournalFiles files, const std::string& directory, const std::string& vfs);

  void OnStored(const std::vector<JournalWriter::Appending>& events, const std::vector<IdEntry>& ids,
                const std::vector<Sequence>& segment_ends) override;
  void OnRefused(const Event& event) override { pending_bytes_ -= event.Bytes(); }
  void OnDamage(const absl::Status& status) override { Note(status).IgnoreError(); }

  // Damage makes the journal read-only; gives what the core is told.
  absl::Status Note(const absl::Status& status);
  absl::Status Unreadable() const;
  // Why what is in the files is older than what was saved.
  static absl::Status WhyOlder(const absl::Status& status);
  // Does `work` on the reader's thread and hands its result to `done`.
  template <typename Result>
  void Ask(std::function<absl::StatusOr<Result>(JournalTables&)> work, std::function<void(absl::StatusOr<Result>)> done);
  // As Ask, when what was saved is in the files.
  template <typename Result>
  void AskSaved(std::function<absl::StatusOr<Result>(JournalTables&)> work, std::function<void(absl::StatusOr<Result>)> done);

  // The journal has it, unless it is damaged.
  bool IsThere(Sequence sequence) const;
  Lookup LookUp(const Key& key) const;
  static absl::StatusOr<EventPtr> FindOnDisk(JournalTables& tables, const LostRanges& lost, const Key& key, const Lookup& lookup);
  void Find(const Key& key, FindDone done);
  void ForgetLetter(uint64_t id);
  void ForgetLettersOf(ListenerId listener);
  // The next rows of DropWaiting; behind the last one, `itself`, those of the listener.
  void DropWaitingRows(ListenerId listener, bool itself);
  void AwaitDropped(ListenerId listener, bool itself, std::shared_ptr<bool> more);
  // One after the other, each in a commit of its own; `done` when the last is in the files.
  void SaveStepwise(std::shared_ptr<std::deque<JournalWriter::Save>> steps, std::function<void()> done);
  void Seal(const std::shared_ptr<const IdIndex::Generation>& generation);
  // Ids of segments that are in a block.
  void DropSegmentIds(Sequence first, Sequence end);
  void DropBlocks(const std::vector<uint64_t>& blocks);

  const std::unique_ptr<DirectoryLock> lock_;
  const size_t max_bytes_;
  const JournalWriter::Post post_;
  Logger& logger_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  const LostRanges lost_;
  const IdHash hash_;

  // The events that are safe.
  SegmentIndex segments_;
  const std::unique_ptr<IdIndex> ids_;
  EventTail tail_{kTailBytes};
  Sequence last_sequence_ = 0;
  size_t pending_bytes_ = 0;  // of the events that are not yet

  std::map<uint64_t, LoadedJournal::LetterKey> dead_letters_;
  uint64_t letter_bytes_ = 0;

  bool read_only_ = false;
  std::vector<JournalProblem> problems_;
  const std::vector<Loss> losses_;  // the newest kMaxLosses

  // Destroyed in this order: the checkpointer outlives the writer.
  std::unique_ptr<JournalReader> reader_;
  std::unique_ptr<JournalCheckpointer> checkpointer_;
  std::unique_ptr<JournalWriter> writer_;
};

template <typename Result>
void SqliteEventLog::Ask(std::function<absl::StatusOr<Result>(JournalTables&)> work,
                         std::function<void(absl::StatusOr<Result>)> done) {
  if (!reader_) return done(Unreadable());
  reader_->Enqueue(
      [this, alive = alive_, post = post_, work = std::move(work), done = std::move(done)](JournalTables& tables, SteadyTime) {
        auto result = std::make_shared<absl::StatusOr<Result>>(work(tables));
        post([this, alive, result, done] {
          if (!*alive) return;
          if (result->ok()) return done(std::move(*result));
          done(Note(result->status()));
        });
        return true;
      });
}

template <typename Result>
void SqliteEventLog::AskSaved(std::function<absl::StatusOr<Result>(JournalTables&)> work,
                              std::function<void(absl::StatusOr<Result>)> done) {
  if (!writer_ || !writer_->HasUnsaved()) return Ask<Result>(std::move(work), std::move(done));
  writer_->WhenDurable([this, work = std::move(work), done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(WhyOlder(status));
    Ask<Result>(work, done);
  });
}

}  // namespace pvebus::bus
