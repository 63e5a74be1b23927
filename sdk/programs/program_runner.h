#pragma once

#include <chrono>
#include <stop_token>

#include "sdk/base/program.h"
#include "sdk/programs/program_slots.h"
#include "sdk/programs/stuck_programs.h"

namespace pvebus {

// Runs programs, each in a session and process group of its own, in `directory`, with all signals as a new process
// has them, and with no descriptors but its standard input (a file in memory with the call's bytes), output and error (one pipe).
// Owned by main. Any thread.
// Requires: descriptors 0, 1 and 2 are open in this process, and it neither ignores SIGCHLD nor waits for children it does
// not know.
class ProgramRunner {
 public:
  struct Options {
    int parallel = 8;                            // programs at once; what finds no room waits
    std::chrono::milliseconds kill_after{1000};  // between being told to end (SIGTERM) and being killed (SIGKILL)
  };
  explicit ProgramRunner(Options options) : options_(options), slots_(options.parallel) {}
  // Requires: no Run is running.
  ~ProgramRunner() { stuck_.Reap(); }
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  // Waits for its turn and for its end. Once started it ends within its time limit, `kill_after`, and five seconds for what even
  // SIGKILL does not end. When its time is over or `stop` is requested, its whole process group is told to end and then killed; a
  // child that made a session of its own is out of reach. What it leaves behind after a normal end (a daemon) goes on, and gets
  // SIGPIPE when it still writes there. Does not throw; all failures are results.
  ProgramResult Run(const ProgramCall& call, const std::stop_token& stop);

 private:
  const Options options_;
  ProgramSlots slots_;
  StuckPrograms stuck_;
};

}  // namespace pvebus
