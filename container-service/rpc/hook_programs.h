#pragma once

#include <chrono>
#include <string>

#include "container-service/core/container_node.h"
#include "container-service/core/hook_program.h"
#include "sdk/base/clock.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::container {

struct HookProgramsOptions {
  std::string directory = "/etc/pvebus/container-hooks.d";  // absolute
  std::chrono::milliseconds time_limit{30'000};             // of each program
  std::string bus;                                          // PVEBUS_BUS of the programs
  std::string node;                                         // PVEBUS_NODE
};

// The hook `hook-programs`: runs the programs of administrators for what happened to a container, one after the other in the
// order of their names; README.md says what they are given. A row per program, with its exit status and the last of what it
// wrote. One that fails keeps no other from running; the event comes again, and then those that have succeeded for it are not run
// again. Requires: all of them outlive the hook.
hooks::Hook HookProgramsHook(HookPrograms& programs, const ContainerNode& node, HookProgramsOptions options);

}  // namespace pvebus::container
