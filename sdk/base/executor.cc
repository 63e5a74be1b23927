#include "sdk/base/executor.h"

#include <cassert>
#include <utility>

namespace pvebus {

ThreadPool::ThreadPool(int thread_count) {
  assert(thread_count > 0);
  for (int i = 0; i < thread_count; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(mu_);
    closing_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Post(std::function<void()> task) {
  MutexLock lock(mu_);
  tasks_.push_back(std::move(task));
  changed_.NotifyOne();
}

void ThreadPool::Run() {
  mu_.Lock();
  for (;;) {
    // A task that still runs may post another one: only the last thread to be idle knows that all is done.
    while (tasks_.empty() && !(closing_ && running_ == 0)) changed_.Wait(mu_);
    if (tasks_.empty()) break;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    ++running_;
    mu_.Unlock();
    task();
    task = nullptr;  // what it captured dies outside of the lock, too
    mu_.Lock();
    --running_;
    if (closing_) changed_.NotifyAll();
  }
  mu_.Unlock();
}

}  // namespace pvebus
