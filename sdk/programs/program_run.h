#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <stop_token>

#include "sdk/base/clock.h"
#include "sdk/base/program.h"
#include "sdk/programs/output_tail.h"
#include "sdk/programs/program_start.h"
#include "sdk/programs/stuck_programs.h"

namespace pvebus {

// One started program until its end: keeps the end of what it writes, ends it when its time is over, reaps it. One thread, one
// use.
class ProgramRun {
 public:
  struct Limits {
    std::chrono::milliseconds kill_after;  // between being told to end and being killed
    size_t most_output_bytes;
  };
  // It is told to end at `deadline`. Requires: `stuck` outlives it.
  ProgramRun(StartedProgram program, SteadyTime deadline, const Limits& limits, StuckPrograms& stuck);

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

}  // namespace pvebus
