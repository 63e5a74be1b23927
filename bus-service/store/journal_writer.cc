#include "bus-service/store/journal_writer.h"

#include <algorithm>
#include <iterator>

#include "bus-service/core/errors.h"
#include "bus-service/store/damage.h"

namespace pvebus::bus {

JournalWriter::JournalWriter(Start start, Owner& owner, JournalCheckpointer& checkpointer, Post post, Logger& logger)
    : tables_(std::move(start.tables)),
      mark_(std::move(start.mark)),
      state_(start.state),
      segments_(std::move(start.segments)),
      owner_(owner),
      checkpointer_(checkpointer),
      post_(std::move(post)),
      logger_(logger),
      thread_([this] { Run(); }) {}

JournalWriter::~JournalWriter() {
  *alive_ = false;
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
  pending_.append_bytes += event->Bytes();
  pending_.appends.push_back({std::move(event), std::move(done)});
  if (!was_urgent) changed_.NotifyOne();
}

void JournalWriter::Enqueue(Save save) {
  MutexLock lock(mutex_);
  if (damaged_) return;
  if (pending_.empty()) changed_.NotifyOne();
  ++saved_;
  pending_.saves.push_back(std::move(save));
}

void JournalWriter::SaveProgress(ListenerId listener, Progress progress) {
  MutexLock lock(mutex_);
  if (damaged_) return;
  if (pending_.empty()) changed_.NotifyOne();
  ++saved_;
  pending_.progress[listener] = std::move(progress);
}

void JournalWriter::ForgetProgress(ListenerId listener) {
  MutexLock lock(mutex_);
  pending_.progress.erase(listener);
}

void JournalWriter::DropEventsBefore(Sequence first) {
  MutexLock lock(mutex_);
  if (damaged_) return;
  if (pending_.empty()) changed_.NotifyOne();
  ++saved_;
  pending_.drop_before = std::max(pending_.drop_before, first);
}

void JournalWriter::WhenDurable(std::function<void(absl::Status)> done) {
  MutexLock lock(mutex_);
  const bool was_urgent = pending_.urgent();
  pending_.waiters.push_back(std::move(done));
  if (!was_urgent) changed_.NotifyOne();
}

bool JournalWriter::HasUnsaved() const {
  MutexLock lock(mutex_);
  return saved_ != durable_;
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
  TakePending(batch);
  return !ending_ || !batch.empty();
}

void JournalWriter::TakePending(Batch& batch) {
  std::swap(batch, pending_);
  batch.saved = saved_;
  if (batch.append_bytes <= kBatchBytes) return;
  // More than one commit should hold: the newest wait for the next one.
  size_t bytes = 0;
  auto end = batch.appends.begin();
  while (end != batch.appends.end() && (bytes == 0 || bytes + end->event->Bytes() <= kBatchBytes))
    bytes += (end++)->event->Bytes();
  pending_.appends.assign(std::make_move_iterator(end), std::make_move_iterator(batch.appends.end()));
  batch.appends.erase(end, batch.appends.end());
  pending_.append_bytes = batch.append_bytes - bytes;
  batch.append_bytes = bytes;
}

absl::Status JournalWriter::Commit(Batch& batch) {
  {
    MutexLock lock(mutex_);
    if (damaged_) return Damaged("journal.db", 0, "nothing is stored any more");
  }
  const JournalState state = state_;
  const SegmentWriter segments = segments_;
  absl::Status status = tables_->BeginWriting();
  if (status.ok()) status = Write(batch);
  if (status.ok()) status = tables_->Commit();
  if (status.ok()) {
    // Last, so that the mark is never newer than what is on the disk.
    const absl::Status marked = mark_->Write({state_.last_sequence, state_.commits});
    if (!marked.ok() && !mark_failed_) logger_.Error("journal_mark_failed error=\"%s\"", marked.ToString());
    mark_failed_ = !marked.ok();
    batch.ids = segments_.TakeIds();
    batch.segment_ends = segments_.TakeEnds();
    return status;
  }
  state_ = state;
  segments_ = segments;
  if (auto undone = tables_->Rollback(); !undone.ok()) logger_.Error("journal_rollback_failed error=\"%s\"", undone.ToString());
  return status;
}

absl::Status JournalWriter::Write(Batch& batch) {
  const JournalState before = state_;
  for (const Appending& append : batch.appends) {
    if (auto status = segments_.Put(*tables_, *append.event); !status.ok()) return status;
  }
  for (const Save& save : batch.saves) {
    if (auto status = save(*tables_, state_); !status.ok()) return status;
  }
  for (const auto& [listener, progress] : batch.progress) {
    if (auto status = tables_->listeners.PutProgress(listener, progress); !status.ok()) return status;
  }
  if (batch.drop_before > state_.first_sequence) {
    auto first = segments_.Drop(*tables_, state_.first_sequence, batch.drop_before, kDropEvents + 2 * batch.appends.size());
    if (!first.ok()) return first.status();
    state_.first_sequence = *first;
  }
  // A commit is counted by its events, or here: two pages fewer for one with nothing but an event.
  if (batch.appends.empty()) ++state_.commits;
  const bool changed = state_ != before;
  if (!batch.appends.empty()) {
    state_.last_sequence = batch.appends.back().event->sequence;
    state_.last_publish_time = ToNanos(batch.appends.back().event->publish_time);
  }
  return changed ? tables_->journal.Put(state_) : absl::OkStatus();
}

void JournalWriter::PostIfAlive(std::function<void()> function) {
  post_([alive = alive_, function = std::move(function)] {
    if (*alive) function();
  });
}

void JournalWriter::Committed(Batch batch) {
  {
    MutexLock lock(mutex_);
    durable_ = std::max(durable_, batch.saved);
    if (batch.drop_before > state_.first_sequence) pending_.drop_before = std::max(pending_.drop_before, batch.drop_before);
    if (ending_) return;
  }
  checkpointer_.Wake();
  if (!batch.urgent()) return;
  auto done = std::make_shared<Batch>(std::move(batch));
  PostIfAlive([this, done] {
    if (!done->appends.empty()) owner_.OnStored(done->appends, done->ids, done->segment_ends);
    for (const Appending& append : done->appends) append.done(absl::OkStatus());
    for (const auto& waiter : done->waiters) waiter(absl::OkStatus());
  });
}

void JournalWriter::Failed(Batch batch, const absl::Status& status) {
  logger_.Error("journal_commit_failed events=%d error=\"%s\"", batch.appends.size(), status.ToString());
  const bool damage = absl::IsDataLoss(status);
  {
    MutexLock lock(mutex_);
    refusing_ = batch.urgent();
    damaged_ = damaged_ || damage;
    if (ending_) return;
    if (damage) {
      pending_.saves.clear();
      pending_.progress.clear();
      pending_.drop_before = 0;
      durable_ = saved_;
    } else {
      not_before_ = std::chrono::steady_clock::now() + kRetryDelay;
      // What was saved is tried again, before what came later; a newer progress replaces an older one.
      batch.saves.insert(batch.saves.end(), std::make_move_iterator(pending_.saves.begin()),
                         std::make_move_iterator(pending_.saves.end()));
      pending_.saves = std::move(batch.saves);
      pending_.progress.merge(batch.progress);
      pending_.drop_before = std::max(pending_.drop_before, batch.drop_before);
    }
  }
  if (!batch.urgent() && !damage) return;
  auto failed = std::make_shared<Batch>(std::move(batch));
  PostIfAlive([this, failed, status, damage] {
    if (damage) owner_.OnDamage(status);
    Refuse(*failed, damage ? JournalDamaged(std::string(status.message())) : status);
  });
}

void JournalWriter::Refuse(const Batch& batch, const absl::Status& status) {
  Batch later;  // they came after the one that failed
  {
    MutexLock lock(mutex_);
    later.appends.swap(pending_.appends);
    pending_.append_bytes = 0;
    if (damaged_) later.waiters.swap(pending_.waiters);
    refusing_ = false;
    changed_.NotifyOne();
  }
  const auto refuse = [&](const std::vector<Appending>& appends) {
    for (auto append = appends.rbegin(); append != appends.rend(); ++append) {
      owner_.OnRefused(*append->event);
      append->done(status);
    }
  };
  refuse(later.appends);
  refuse(batch.appends);
  for (const auto& waiter : batch.waiters) waiter(status);
  for (const auto& waiter : later.waiters) waiter(status);
}

}  // namespace pvebus::bus
