#pragma once

#include <vector>

#include "sdk/base/mutex.h"
#include "sdk/posix/fd.h"

namespace pvebus {

// Programs that were killed and did not end, because the kernel holds them (a disk or a server that does not answer): nobody
// waits for them any more, but they are reaped when they did end. Any thread.
class StuckPrograms {
 public:
  void Add(Fd pidfd);
  // Those that have ended by now. Does not wait.
  void Reap();

 private:
  Mutex mu_;
  std::vector<Fd> pidfds_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus
