#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace pvebus::cli {

// What one run of the program left behind.
struct RunOutcome {
  int exit_code;
  std::string out;
  std::string err;
};

inline RunOutcome RunInTest(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pvebus");
  std::ostringstream out, err;
  Console console{out, err};
  const int exit_code = RunPvebus(static_cast<int>(arguments.size()), arguments.data(), console);
  return {exit_code, out.str(), err.str()};
}

}  // namespace pvebus::cli
