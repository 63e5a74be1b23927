#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "container-service/core/hook_program.h"
#include "sdk/programs/program_runner.h"

namespace pvebus::container {

// The programs of administrators, in directories of this machine. Owned by main. Any thread. What ProgramRunner requires.
class DirectoryPrograms final : public HookPrograms {
 public:
  explicit DirectoryPrograms(ProgramRunner::Options options) : runner_(options) {}

  absl::StatusOr<std::vector<HookProgramFile>> List(const std::string& directory) const override;
  ProgramResult Run(const ProgramCall& call, const std::stop_token& stop) override { return runner_.Run(call, stop); }

 private:
  ProgramRunner runner_;
};

}  // namespace pvebus::container
