#include "bus-service/store/journal_checkpointer.h"

#include <algorithm>

#include "bus-service/store/wal_room.h"

namespace pvebus::bus {

JournalCheckpointer::JournalCheckpointer(std::unique_ptr<SqliteDatabase> database, Logger& logger)
    : database_(std::move(database)), logger_(logger), thread_([this] { Run(); }) {}

JournalCheckpointer::~JournalCheckpointer() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void JournalCheckpointer::Watch(SqliteDatabase& writer) {
  writer_ = &writer;
  MakeRoomInWal(writer, kRoomBytes);
  sqlite3_wal_hook(
      writer.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<JournalCheckpointer*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
}

void JournalCheckpointer::Wake() {
  if (wal_pages_ < done_pages_) {  // it began again
    done_pages_ = 0;
    moved_pages_ = 0;
    restart_pages_ = kMostPages;
    told_pages_ = 2 * kMostPages;
  }
  if (wal_pages_ >= restart_pages_) return Restart(kPatience);
  const int left = wal_pages_ - moved_pages_;
  if (wal_pages_ >= kPages && left >= 0 && left <= kFewPages) return Restart(std::chrono::milliseconds(0));
  if (wal_pages_ - done_pages_ < kPages) return;
  done_pages_ = wal_pages_;
  MutexLock lock(mutex_);
  wanted_ = true;
  changed_.NotifyOne();
}

void JournalCheckpointer::Restart(std::chrono::milliseconds patience) {
  // Most of it is done already, or will be when the lock is free.
  MutexLock lock(checkpointing_);
  // SQLite goes on waiting for the slot of a reader when that reader's next transaction, which would be in nobody's way, has
  // taken it: a short attempt looks again.
  writer_->SetBusyTimeout(std::min(patience, kAttempt));
  const SteadyTime end = std::chrono::steady_clock::now() + patience;
  int result = SQLITE_OK;
  do {
    result = sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  } while ((result & 0xff) == SQLITE_BUSY && std::chrono::steady_clock::now() < end);
  writer_->SetBusyTimeout(SqliteDatabase::kBusyTimeout);
  done_pages_ = wal_pages_;
  moved_pages_ = 0;
  if (result == SQLITE_OK) return;
  if (patience == kPatience) restart_pages_ = wal_pages_ + kPages;
  if ((result & 0xff) != SQLITE_BUSY) {
    logger_.Warning("journal_checkpoint_failed error=\"%s\"", writer_->LastError("checkpointing").ToString());
  } else if (wal_pages_ >= told_pages_) {
    told_pages_ = 2 * wal_pages_;
    logger_.Warning("journal_wal_held mib=%d a program has been reading journal.db for long, and the WAL grows until it ends",
                    wal_pages_ >> 7);
  }
}

void JournalCheckpointer::Move() {
  int pages = 0;
  int moved = 0;
  const int result = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
  if (result == SQLITE_OK) {
    moved_pages_ = moved;
  } else if ((result & 0xff) != SQLITE_BUSY) {
    logger_.Warning("journal_checkpoint_failed error=\"%s\"", database_->LastError("checkpointing").ToString());
  }
}

void JournalCheckpointer::Run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!ending_ && !wanted_) changed_.Wait(mutex_);
      if (ending_) return;
      wanted_ = false;
    }
    MutexLock lock(checkpointing_);
    Move();
  }
}

}  // namespace pvebus::bus
