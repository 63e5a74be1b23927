#pragma once

#include <functional>
#include <memory>
#include <string>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "grpcpp/impl/service_type.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/client/publisher.h"
#include "sdk/hook_service/hook_service.h"
#include "sdk/hooks/hook_chain.h"
#include "sdk/service/options.h"

namespace pvebus::hook_service {

// What the parts of a hook service stand on.
struct HookProgramParts {
  hooks::HookChain& chain;
  const client::Publisher& publisher;
  const Clock& clock;
  Logger& logger;
  const service::ServiceOptions& service;
  const service::HookServiceOptions& hooks;
};

// What a hook service's main is made of.
struct HookProgram {
  std::string description;  // for --help
  std::string default_listen;
  Identity identity;
  // Adds the hooks to the chain and makes the RPC interface over it, with all that both need: it is destroyed after the last call
  // and the last hook, before what `parts` refers to.
  std::function<absl::StatusOr<std::shared_ptr<grpc::Service>>(const HookProgramParts& parts)> assemble;
  // Adds what the program's command line has beyond that of all hook services. Null: nothing.
  std::function<void(CLI::App& app)> add_flags;
};

// The whole main of a hook service: the command line, the record of what its hooks did, the service until it ends. The exit
// code: 0 stopped, 1 it could not go on (a line on standard error says why), 2 wrong usage.
int RunHookProgram(const HookProgram& program, int argc, const char* const* argv);

}  // namespace pvebus::hook_service
