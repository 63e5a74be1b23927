#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "sdk/base/mutex.h"

namespace pvebus::hooks {

// Threads that are kept: a task runs at once, on an idle one or, when all are busy, on a new one. So there are never more than
// tasks ran at the same time. Owned by the chain. Any thread.
class HookWorkers {
 public:
  HookWorkers() = default;
  // Waits for every task.
  ~HookWorkers();
  HookWorkers(const HookWorkers&) = delete;
  HookWorkers& operator=(const HookWorkers&) = delete;

  void Start(std::function<void()> task);

 private:
  void Work();

  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  size_t idle_ ABSL_GUARDED_BY(mu_) = 0;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::hooks
