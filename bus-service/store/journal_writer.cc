#include "bus-service/store/journal_writer.h"

#include <algorithm>
#include <iterator>

namespace pvebus::bus {

JournalWriter::JournalWriter(std::unique_ptr<SqliteDatabase> database, std::unique_ptr<JournalTables> tables, Post post,
                             Logger& logger)
    : database_(std::move(database)), tables_(std::move(tables)), post_(std::move(post)), logger_(logger), thread_([this] {
        Run();
      }) {}

JournalWriter::~JournalWriter() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void JournalWriter::Append(std::shared_ptr<const Event> event, EventLog::AppendDone done) {
  MutexLock lock(mutex_);
  const bool was_urgent = pending_.urgent();
  pending_.appends.push_back({std::move(event), std::move(done)});
  if (!was_urgent) changed_.NotifyOne();
}

void JournalWriter::Enqueue(Save save) {
  MutexLock lock(mutex_);
  if (pending_.empty()) changed_.NotifyOne();
  pending_.saves.push_back(std::move(save));
}

void JournalWriter::SaveProgress(ListenerId listener, Progress progress) {
  MutexLock lock(mutex_);
  if (pending_.empty()) changed_.NotifyOne();
  pending_.progress[listener] = std::move(progress);
}

void JournalWriter::ForgetProgress(ListenerId listener) {
  MutexLock lock(mutex_);
  pending_.progress.erase(listener);
}

void JournalWriter::DropEventsBefore(Sequence first, Sequence last_sequence) {
  MutexLock lock(mutex_);
  if (pending_.empty()) changed_.NotifyOne();
  pending_.drop_before = first;
  pending_.last_sequence = last_sequence;
}

void JournalWriter::WhenDurable(std::function<void(absl::Status)> done) {
  MutexLock lock(mutex_);
  const bool was_urgent = pending_.urgent();
  pending_.waiters.push_back(std::move(done));
  if (!was_urgent) changed_.NotifyOne();
}

void JournalWriter::Run() {
  Batch batch;
  while (TakeBatch(batch)) {
    if (absl::Status status = Commit(batch); status.ok()) {
      Committed(std::move(batch));
    } else {
      Failed(std::move(batch), status);
    }
    batch = Batch();
  }
}

bool JournalWriter::TakeBatch(Batch& batch) {
  MutexLock lock(mutex_);
  while (!ending_ && (pending_.empty() || refusing_)) changed_.Wait(mutex_);
  const SteadyTime lazy_end = std::chrono::steady_clock::now() + kLazyDelay;
  while (!ending_ && !pending_.urgent() && changed_.WaitUntil(mutex_, lazy_end)) {
  }
  while (!ending_ && std::chrono::steady_clock::now() < not_before_) changed_.WaitUntil(mutex_, not_before_);
  if (refusing_) pending_.appends.clear();  // the end has come, and what they follow is not stored
  std::swap(batch, pending_);
  return !ending_ || !batch.empty();
}

absl::Status JournalWriter::Commit(const Batch& batch) {
  absl::Status status = database_->Execute("BEGIN IMMEDIATE");
  for (const Appending& append : batch.appends) {
    if (status.ok()) status = tables_->PutEvent(*append.event);
  }
  for (const Save& save : batch.saves) {
    if (status.ok()) status = save(*tables_);
  }
  for (const auto& [listener, progress] : batch.progress) {
    if (status.ok()) status = tables_->PutProgress(listener, progress);
  }
  if (status.ok() && batch.drop_before != 0) {
    status = tables_->PutLastSequence(batch.last_sequence);
    if (status.ok()) status = tables_->DropEventsBefore(batch.drop_before);
  }
  if (status.ok()) status = database_->Execute("COMMIT");
  if (!status.ok() && database_->in_transaction()) {
    if (auto undone = database_->Execute("ROLLBACK"); !undone.ok())
      logger_.Error("journal_rollback_failed error=\"%s\"", undone.ToString());
  }
  return status;
}

void JournalWriter::Committed(Batch batch) {
  if (!batch.urgent()) return;
  {
    MutexLock lock(mutex_);
    if (ending_) return;
  }
  auto done = std::make_shared<Batch>(std::move(batch));
  post_([done] {
    for (const Appending& append : done->appends) append.done(absl::OkStatus());
    for (const auto& waiter : done->waiters) waiter(absl::OkStatus());
  });
}

void JournalWriter::Failed(Batch batch, const absl::Status& status) {
  logger_.Error("journal_commit_failed events=%d error=\"%s\"", batch.appends.size(), status.ToString());
  {
    MutexLock lock(mutex_);
    refusing_ = batch.urgent();
    if (ending_) return;
    not_before_ = std::chrono::steady_clock::now() + kRetryDelay;
    // What was saved is tried again, before what came later; a newer progress replaces an older one.
    batch.saves.insert(batch.saves.end(), std::make_move_iterator(pending_.saves.begin()),
                       std::make_move_iterator(pending_.saves.end()));
    pending_.saves = std::move(batch.saves);
    pending_.progress.merge(batch.progress);
    pending_.drop_before = std::max(pending_.drop_before, batch.drop_before);
    pending_.last_sequence = std::max(pending_.last_sequence, batch.last_sequence);
  }
  if (!batch.urgent()) return;
  auto failed = std::make_shared<Batch>(std::move(batch));
  post_([this, failed, status] {
    std::vector<Appending> later;  // they came after the one that failed
    {
      MutexLock lock(mutex_);
      later.swap(pending_.appends);
      refusing_ = false;
      changed_.NotifyOne();
    }
    for (auto append = later.rbegin(); append != later.rend(); ++append) append->done(status);
    for (auto append = failed->appends.rbegin(); append != failed->appends.rend(); ++append) append->done(status);
    for (const auto& waiter : failed->waiters) waiter(status);
  });
}

}  // namespace pvebus::bus
