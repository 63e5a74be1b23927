#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "bus-service/store/journal_tables.h"
#include "sdk/base/mutex.h"

namespace pvebus::bus {

// The one thread that reads the journal, over a connection of its own: it sees what was committed when it looks, and holds up no
// commit. What takes long works in slices and goes to the back of the queue, so that what is short never waits long.
//
// Made, used and destroyed by one thread.
class JournalReader {
 public:
  static constexpr std::chrono::milliseconds kSlice{20};

  // Works until `deadline`, or a little longer; true when it is done. Runs on the reader's thread.
  using Job = std::function<bool(JournalTables&, SteadyTime deadline)>;

  explicit JournalReader(std::unique_ptr<JournalTables> tables);
  // Ends the job that runs, if need be in the middle; the others are never run.
  ~JournalReader();

  void Enqueue(Job job);

 private:
  void Run();

  const std::unique_ptr<JournalTables> tables_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pvebus::bus
