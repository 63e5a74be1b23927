#include "sdk/hooks/hook_workers.h"

#include <utility>

namespace pvebus::hooks {

HookWorkers::~HookWorkers() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mu_);
    closing_ = true;
    threads.swap(threads_);
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void HookWorkers::Start(std::function<void()> task) {
  MutexLock lock(mu_);
  tasks_.push_back(std::move(task));
  if (idle_ >= tasks_.size()) {
    changed_.NotifyOne();
  } else {
    threads_.emplace_back([this] { Work(); });
  }
}

void HookWorkers::Work() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mu_);
      ++idle_;
      while (tasks_.empty() && !closing_) changed_.Wait(mu_);
      --idle_;
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace pvebus::hooks
