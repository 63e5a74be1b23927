#pragma once

#include <optional>
#include <string>

#include "sdk/service/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pvebus::service {

// Adds the flags, --config (TOML, same names) and --version, and the rule that --listen goes beyond this machine only with
// --insecure. Requires: `options` outlives `app`.
void AddServiceFlags(CLI::App& app, ServiceOptions& options, const std::string& default_listen);
// Requires: `app` has its name, which --instance-id's default is made of; `options` outlives `app`.
void AddHookServiceFlags(CLI::App& app, HookServiceOptions& options);
// Parses; on error prints what is wrong, with the nearest flag there is, and returns exit code 2; on --help or --version 0.
// Empty: go on.
std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv);

// The host name up to its first dot, as Proxmox VE names its nodes; "localhost" when it has none.
std::string HostName();

}  // namespace pvebus::service
