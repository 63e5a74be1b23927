#pragma once

#include "cli/console.h"

namespace pvebus::cli {

// The whole program: understands the command line, runs the command, returns the exit code.
int RunPvebus(int argc, const char* const* argv, Console& console);

}  // namespace pvebus::cli
