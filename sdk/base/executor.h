#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "sdk/base/mutex.h"

namespace pvebus {

// Where work runs that must not run here: files, commands, SQLite. Any thread may post.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Post(std::function<void()> task) = 0;
};

// Runs each task at once on the caller's thread: for tests.
class InlineExecutor final : public Executor {
 public:
  void Post(std::function<void()> task) override { task(); }
};

// A fixed number of threads and one queue; with one thread, tasks run in the order in which they were posted. The destructor
// drains: everything posted, also by tasks that run meanwhile, is run before it returns. Nobody else may post by then.
class ThreadPool final : public Executor {
 public:
  // Requires: thread_count > 0.
  explicit ThreadPool(int thread_count);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void Post(std::function<void()> task) override;

 private:
  void Run();

  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // constant after construction
};

}  // namespace pvebus
