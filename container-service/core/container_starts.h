#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "sdk/base/mutex.h"
#include "sdk/base/recent_ids.h"

namespace pvebus::container {

struct ContainerStartsOptions {
  size_t remembered_events = 16384;  // of this process; who calls Record knows of those before
  size_t max_containers = 4096;      // above it, the one whose last start is oldest is forgotten
};

// How often each container has started, each start counted once however often its event is delivered. Owned by main. Any thread.
class ContainerStarts {
 public:
  explicit ContainerStarts(ContainerStartsOptions options = {});

  struct Start {
    uint64_t count = 0;                 // starts of this container so far
    bool repeated = false;              // the event had been counted before
    std::optional<uint32_t> forgotten;  // the container that had to make room
  };
  // `counted_before`: an earlier process has counted the event.
  Start Record(uint32_t container, std::string_view event_id, bool counted_before);
  // What an earlier process has counted; the containers in the order of their last start. Requires: nothing was recorded yet.
  void Restore(uint32_t container, uint64_t starts);
  uint64_t CountOf(uint32_t container) const;
  size_t container_count() const;

 private:
  struct Container {
    uint64_t starts = 0;
    uint64_t last_start = 0;  // in the order of all starts
  };
  std::optional<uint32_t> ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const ContainerStartsOptions options_;
  mutable Mutex mu_;
  RecentIds events_ ABSL_GUARDED_BY(mu_);
  std::map<uint32_t, Container> containers_ ABSL_GUARDED_BY(mu_);
  uint64_t all_starts_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace pvebus::container
