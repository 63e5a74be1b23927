#include "bus-service/store/journal_checkpointer.h"

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
  sqlite3_wal_hook(
      writer.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<JournalCheckpointer*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
}

void JournalCheckpointer::Wake() {
  if (wal_pages_ < done_pages_) done_pages_ = 0;  // it began again
  if (wal_pages_ >= kMostPages && writer_) {
    // Most of it is done already. Readers that are still at work have it tried again after the next commit.
    sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    return;
  }
  if (wal_pages_ - done_pages_ < kPages) return;
  done_pages_ = wal_pages_;
  MutexLock lock(mutex_);
  wanted_ = true;
  changed_.NotifyOne();
}

void JournalCheckpointer::Run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!ending_ && !wanted_) changed_.Wait(mutex_);
      if (ending_) return;
      wanted_ = false;
    }
    const int result = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) {
      logger_.Warning("journal_checkpoint_failed error=\"%s\"", database_->LastError("checkpointing").ToString());
    }
  }
}

}  // namespace pvebus::bus
