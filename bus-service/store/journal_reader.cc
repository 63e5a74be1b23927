#include "bus-service/store/journal_reader.h"

#include <sqlite3.h>

namespace pvebus::bus {

JournalReader::JournalReader(std::unique_ptr<JournalTables> tables) : tables_(std::move(tables)), thread_([this] { Run(); }) {}

JournalReader::~JournalReader() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  sqlite3_interrupt(tables_->database->handle());
  thread_.join();
}

void JournalReader::Enqueue(Job job) {
  MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.NotifyOne();
}

void JournalReader::Run() {
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      while (!ending_ && jobs_.empty()) changed_.Wait(mutex_);
      if (ending_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    if (job(*tables_, std::chrono::steady_clock::now() + kSlice)) continue;
    MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
}

}  // namespace pvebus::bus
