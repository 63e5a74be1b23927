#include "sdk/programs/program_runner.h"

#include <string>
#include <utility>

#include "sdk/base/clock.h"
#include "sdk/programs/program_run.h"
#include "sdk/programs/program_start.h"

namespace pvebus {

ProgramResult ProgramRunner::Run(const ProgramCall& call, const std::stop_token& stop) {
  stuck_.Reap();
  if (!slots_.Take(stop)) {
    return {.end = ProgramResult::End::kStopped, .message = "was not started: it was to stop while it waited for its turn"};
  }
  const SteadyTime begun = std::chrono::steady_clock::now();
  ProgramResult result;
  auto program = StartProgram(call);
  if (program.ok()) {
    const ProgramRun::Limits limits{.kill_after = options_.kill_after, .most_output_bytes = call.most_output_bytes};
    result = ProgramRun(std::move(*program), begun + call.time_limit, limits, stuck_).Run(stop);
  } else {
    result.message = std::string(program.status().message());
  }
  result.duration = std::chrono::steady_clock::now() - begun;
  slots_.GiveBack();
  return result;
}

}  // namespace pvebus
