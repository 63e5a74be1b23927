#pragma once

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "sdk/base/program.h"
#include "sdk/posix/fd.h"

namespace pvebus {

// A program that runs: who owns this must reap it. Movable.
struct StartedProgram {
  pid_t pid = 0;  // of its session and its process group, too
  Fd pidfd;
  Fd output;  // the end of a pipe that does not block; standard output and standard error go into it
  Fd wake;    // an eventfd for the owner's poll(), made here so that nothing is started that could not be stopped
};

// Starts it, with posix_spawn: fork is not for a process that runs gRPC. The message of an error is what ProgramResult has.
// Any thread.
absl::StatusOr<StartedProgram> StartProgram(const ProgramCall& call);

}  // namespace pvebus
