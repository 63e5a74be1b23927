#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/base/clock.h"

namespace pvebus::container {

// A file that an administrator put into a directory of hook programs. A value.
struct HookProgramFile {
  std::string name;     // raw bytes of a file name: UTF-8 only when it is not refused for its name
  std::string path;     // `directory`/name
  std::string refusal;  // why it must not run and what would be right, as what "NAME: " is followed by; empty: it may run

  bool operator==(const HookProgramFile&) const = default;
};

// What is to be run. A value.
struct ProgramCall {
  std::string path;                        // absolute; is argv[0], too
  std::vector<std::string> arguments;      // argv[1] and on
  std::vector<std::string> environment;    // the whole of it, "NAME=value"
  std::string input;                       // what it reads as its standard input
  std::chrono::milliseconds time_limit{};  // Requires: > 0
};

// How that ended. A value.
struct ProgramResult {
  enum class End {
    kExited,
    kSignalled,   // by a signal that is not ours
    kTimedOut,    // was told to end, or killed, because of its time limit
    kStopped,     // because its caller was told to stop; also before it was started
    kNotStarted,  // `message` says why
  };
  End end = End::kNotStarted;
  int exit_code = 0;          // its exit status; 128 + the signal that ended it; 0 when it was not started or its end not seen
  std::string output;         // the last 4096 bytes of standard output and standard error, as they came: raw, perhaps no UTF-8
  uint64_t output_bytes = 0;  // all of them
  Duration duration{};        // of running, without waiting for others to end
  std::string message;        // why it was not started, or its end not seen, as what its name is followed by; else empty
};

// The programs of administrators. Any thread.
class HookPrograms {
 public:
  virtual ~HookPrograms() = default;

  // What is in the directory, by name. FAILED_PRECONDITION HOOKS_DIR_UNREADABLE. Requires: the path is absolute.
  virtual absl::StatusOr<std::vector<HookProgramFile>> List(const std::string& directory) const = 0;
  // Waits for room, and then for its end.
  virtual ProgramResult Run(const ProgramCall& call, const std::stop_token& stop) = 0;
};

}  // namespace pvebus::container
