#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sdk/base/clock.h"

namespace pvebus {

// What is to be run. A value.
struct ProgramCall {
  std::string path;                        // absolute; is argv[0], too
  std::vector<std::string> arguments;      // argv[1] and on
  std::vector<std::string> environment;    // the whole of it, "NAME=value"
  std::string directory = "/";             // in which it begins
  std::string input;                       // what it reads as its standard input
  std::chrono::milliseconds time_limit{};  // Requires: > 0
  size_t most_output_bytes = 4096;         // the last of what it writes, that are kept
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
  int exit_code = 0;   // its exit status; 128 + the signal that ended it; 0 when it was not started or its end not seen
  std::string output;  // the last `most_output_bytes` of standard output and standard error, as they came: raw, perhaps no UTF-8
  uint64_t output_bytes = 0;  // all of them
  Duration duration{};        // of running, without waiting for others to end
  std::string message;        // why it was not started, or its end not seen, as what its name is followed by; else empty
};

}  // namespace pvebus
