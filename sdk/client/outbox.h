#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/client/publisher.h"

namespace pvebus::client {

// An event that the bus must hear of, kept until it has. A value.
struct OutboxEntry {
  std::string key;         // the store's name for it
  std::string label;       // of its log lines: `notice=container_started request_id=...`
  std::string request_id;  // the same for every attempt to publish it, also those of a later process
  event::v1::SystemEvent event;
};

// Where they are kept: best together with what they tell of, in one commit. The Outbox calls it on its own thread.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  // In the order in which they are published: all, or the first of many. Empty only when there is none.
  virtual absl::StatusOr<std::vector<OutboxEntry>> Entries() = 0;
  // When it returns OK, Entries no longer has it; also when that had been so before.
  virtual absl::Status Remove(const std::string& key) = 0;
};

// Publishes what is in the store, in its order, each once: what was published is removed, and what was published but not yet
// removed when the process ended is a duplicate for the bus. While the bus is away it keeps trying; what the bus will never take
// is logged and dropped. Owned by main. Any thread; publishes on one of its own.
class Outbox {
 public:
  // Requires: all of them outlive it.
  Outbox(OutboxStore& store, const Publisher& publisher, Logger& logger);
  // Ends promptly; what was not published stays in the store.
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // There may be entries: also those of an earlier process, so call it once at the start.
  void Wake() ABSL_LOCKS_EXCLUDED(mu_);
  // Tries at once, and waits until what there is now was published (OK), or could not be (why; it goes on trying), or was
  // refused (why), or `deadline` has passed (DEADLINE_EXCEEDED) or `stop` is requested (CANCELLED).
  absl::Status PublishNow(SteadyTime deadline, const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // What a look at the store came to.
  struct Pass {
    bool complete = false;  // nothing is left
    absl::Status status;    // the first one that failed or was refused
  };

  void Run(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);
  // False: it is over.
  bool WaitForWork(const std::stop_token& stop, SteadyTime not_before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Pass PublishAll(const std::stop_token& stop);
  // Removes what was published or refused. The refusal goes into `refused` unless there was one before; the rest is the world's.
  absl::Status PublishEach(const std::vector<OutboxEntry>& entries, const std::stop_token& stop, absl::Status& refused);
  absl::Status Publish(const OutboxEntry& entry, const std::stop_token& stop);
  void LogState(const Pass& pass);

  OutboxStore& store_;
  const Publisher& publisher_;
  Logger& logger_;
  bool away_ = false;  // of the thread: the bus or the store is

  Mutex mu_;
  CondVar changed_;
  uint64_t asked_ ABSL_GUARDED_BY(mu_) = 0;   // how often somebody said that there are entries
  uint64_t passed_ ABSL_GUARDED_BY(mu_) = 0;  // `asked_` when the last pass began
  Pass last_ ABSL_GUARDED_BY(mu_){.complete = true};
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;  // somebody waits: no backoff
  std::jthread thread_;                      // last: it ends before the others go
};

}  // namespace pvebus::client
