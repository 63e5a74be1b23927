#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bus-service/core/event_log.h"
#include "bus-service/core/state_log.h"
#include "bus-service/store/journal_writer.h"
#include "bus-service/store/memory_event_log.h"

namespace pvebus::bus {

// The durable journal: events and listeners in `journal.db` of a data directory that one bus has to itself. What it may hold is
// bounded, and held in memory too for reading. The bus's thread only.
class SqliteEventLog final : public EventLog, public StateLog {
 public:
  struct Opened {
    std::unique_ptr<SqliteEventLog> log;
    Recovery recovery;
  };

  // Makes the directory (mode 0700) and the file where they are missing. FAILED_PRECONDITION when another bus is using it,
  // DATA_LOSS when it is damaged, with what is damaged.
  static absl::StatusOr<Opened> Open(const std::string& directory, size_t max_bytes, JournalWriter::Post post, Logger& logger,
                                     const std::string& vfs = {});
  ~SqliteEventLog() override;

  void Append(std::shared_ptr<Event> event, AppendDone done) override;
  void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) override;
  bool HasRoomFor(size_t bytes) const override;
  void DropFirst() override;
  Stats GetStats() const override;
  void Close() override { writer_ = nullptr; }

  void SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) override;
  void SaveInterest(ListenerId listener, const Interest& interest) override;
  void SaveProgress(ListenerId listener, Progress progress) override;
  void SaveDelivery(ListenerId listener, DeliveryRecord delivery) override;
  void DropListener(ListenerId listener) override;
  void WhenDurable(std::function<void(absl::Status)> done) override;

 private:
  class DirectoryLock;

  SqliteEventLog(std::unique_ptr<DirectoryLock> lock, size_t max_bytes, const Recovery& recovery);

  const std::unique_ptr<DirectoryLock> lock_;
  MemoryEventLog durable_;    // the events that are safe
  size_t pending_bytes_ = 0;  // of the events that are not yet
  std::unique_ptr<JournalWriter> writer_;
};

}  // namespace pvebus::bus
