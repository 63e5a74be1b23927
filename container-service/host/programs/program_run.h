#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <stop_token>

#include "container-service/core/hook_program.h"
#include "container-service/host/programs/output_tail.h"
#include "container-service/host/programs/program_start.h"
#include "container-service/host/programs/stuck_programs.h"
#include "sdk/base/clock.h"

namespace pvebus::container {

// One started program until its end: keeps the end of what it writes, ends it when its time is over, reaps it. One thread, one
// use.
class ProgramRun {
 public:
  // It is told to end at `deadline`, and killed `kill_after` later. Requires: `stuck` outlives it.
  ProgramRun(StartedProgram program, SteadyTime deadline, std::chrono::milliseconds kill_after, StuckPrograms& stuck);

  // All of the result but its duration.
  ProgramResult Run(const std::stop_token& stop);

 private:
  // kLeft: it was killed and did not end.
  enum class Phase { kRunning, kToldToEnd, kKilled, kLeft };

  bool IsOver() const;
  void Poll();
  bool ReadOutput(size_t most_bytes);
  void ReadRest();
  void Interrupt(ProgramResult::End why);
  void OnDeadline();
  void Reap(ProgramResult& result);

  StartedProgram program_;
  SteadyTime deadline_;  // of this phase
  const std::chrono::milliseconds kill_after_;
  StuckPrograms& stuck_;
  Phase phase_ = Phase::kRunning;
  ProgramResult::End interrupted_ = ProgramResult::End::kTimedOut;  // why, when it does not just run
  bool exited_ = false;
  OutputTail tail_;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace pvebus::container
