#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/impl/service_type.h"
#include "sdk/base/log.h"
#include "sdk/hook_service/hook_service.h"
#include "sdk/hooks/hook_chain.h"

namespace pvebus::hook_service {

// What a hook service's main is made of.
struct HookProgram {
  std::string description;  // for --help
  std::string default_listen;
  Identity identity;
  // Adds the hooks to the chain and makes the RPC interface over it; both arguments outlive what it makes.
  std::function<absl::StatusOr<std::unique_ptr<grpc::Service>>(hooks::HookChain& chain, Logger& logger)> assemble;
};

// The whole main of a hook service: the command line, the record of what its hooks did, the service until it ends. The exit
// code: 0 stopped, 1 it could not go on (a line on standard error says why), 2 wrong usage.
int RunHookProgram(const HookProgram& program, int argc, const char* const* argv);

}  // namespace pvebus::hook_service
