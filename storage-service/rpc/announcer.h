#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "pvebus/event/v1/event.pb.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/client/publisher.h"
#include "storage-service/core/notice.h"
#include "storage-service/core/storage_store.h"

namespace pvebus::storage {

// The event that a notice becomes. Pure.
event::v1::SystemEvent EventOf(const Notice& notice);

// Publishes the notices of the store, in their order, each once: what was published is removed, and what was published but not
// yet removed when the process ended is a duplicate for the bus. While the bus is away it keeps trying; what the bus will never
// take is logged and dropped. Owned by main. Any thread; publishes on one of its own.
class Announcer {
 public:
  // Requires: all of them outlive it.
  Announcer(StorageStore& store, const client::Publisher& publisher, Logger& logger);
  // Ends promptly; what was not published stays in the store.
  ~Announcer();
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;

  // There may be notices: also those of an earlier process, so call it once at the start.
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
  absl::Status Publish(const Notice& notice, const std::stop_token& stop);
  void LogState(const Pass& pass);

  StorageStore& store_;
  const client::Publisher& publisher_;
  Logger& logger_;
  bool away_ = false;  // of the thread: the bus or the store is

  Mutex mu_;
  CondVar changed_;
  uint64_t asked_ ABSL_GUARDED_BY(mu_) = 0;   // how often somebody said that there are notices
  uint64_t passed_ ABSL_GUARDED_BY(mu_) = 0;  // `asked_` when the last pass began
  Pass last_ ABSL_GUARDED_BY(mu_){.complete = true};
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;  // somebody waits: no backoff
  std::jthread thread_;                      // last: it ends before the others go
};

}  // namespace pvebus::storage
