#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "sdk/base/mutex.h"

namespace pvebus::testing {

// A real program, started with posix_spawn, its output captured. Killed on destruction. One thread, except that output is
// collected by threads of its own.
class Process {
 public:
  // Requires: arguments[0] is the path of the program. Dies with an assertion when it cannot be started.
  explicit Process(std::vector<std::string> arguments);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // The first line of standard output or standard error that begins with `prefix`, without the prefix. DEADLINE_EXCEEDED, or
  // UNAVAILABLE when the program ended before it said so; both carry the output so far.
  absl::StatusOr<std::string> WaitForLine(const std::string& prefix, std::chrono::milliseconds timeout);

  void Signal(int signal) const;
  // Exit code, or 128 + signal; its output is complete then. Empty when it has not ended within `timeout`.
  std::optional<int> WaitExit(std::chrono::milliseconds timeout);

  std::string StandardOutput() const;
  std::string StandardError() const;

  // From /proc; 0 when the program is gone.
  size_t ResidentBytes() const;
  int ThreadCount() const;

 private:
  struct Stream {
    std::string text;
    std::thread reader;
  };

  void Collect(int fd, Stream Process::*stream);
  bool FindLine(const std::string& text, const std::string& prefix, std::string* rest) const;
  std::string StatusField(const char* name) const;

  pid_t pid_ = -1;
  std::optional<int> exit_code_;

  mutable Mutex mutex_;
  CondVar changed_;
  Stream out_ ABSL_GUARDED_BY(mutex_);
  Stream error_ ABSL_GUARDED_BY(mutex_);
  int open_streams_ ABSL_GUARDED_BY(mutex_) = 2;
};

// Path of a program of this build, for example "bus-service". Dies when there is none.
std::string ProgramPath(const std::string& name);

}  // namespace pvebus::testing
