#include "sdk/hook_service/hook_main.h"

#include <iostream>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "sdk/base/clock.h"
#include "sdk/hooks/memory_hook_journal.h"
#include "sdk/hooks/sqlite_hook_journal.h"
#include "sdk/service/service_main.h"

namespace pvebus::hook_service {
namespace {

struct Flags {
  service::ServiceOptions service;
  service::HookServiceOptions hooks;
  std::string history = "sqlite";
  hooks::HookTableLimits limits;
};

// /var/lib/pvebus/container of container-service, as systemd's StateDirectory= makes it.
std::string DefaultDataDirectory(const std::string& program) {
  return "/var/lib/pvebus/" + program.substr(0, program.rfind('-'));
}

void AddFlags(CLI::App& app, const HookProgram& program, Flags& flags) {
  constexpr char kGroup[] = "What the hooks did";
  service::AddServiceFlags(app, flags.service, program.default_listen);
  service::AddHookServiceFlags(app, flags.hooks);
  flags.service.data_dir = DefaultDataDirectory(program.identity.program);
  app.get_option("--data-dir")
      ->description("Folder of hooks.db; made when it is missing")
      ->default_str(flags.service.data_dir)
      ->check([](const std::string& directory) { return std::string(directory.empty() ? "it names no directory" : ""); });
  app.add_option("--history", flags.history,
                 "Where it is kept. sqlite: in the data directory; memory: nowhere, after a restart hooks run again\n"
                 "for events that come again")
      ->check(CLI::IsMember({"sqlite", "memory"}))
      ->group(kGroup);
  app.add_option("--history-limit", flags.limits.executions, "Executions that are listed; older ones are forgotten")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--success-limit", flags.limits.successes,
                 "Successes (one per event and hook) that are remembered, so that no hook runs again for an event that\n"
                 "comes again; older ones are forgotten. About 110 bytes of disk each")
      ->check(CLI::Range(1'000, 100'000'000))
      ->type_name("N")
      ->group(kGroup);
}

absl::StatusOr<std::unique_ptr<hooks::HookJournal>> OpenJournal(const HookProgram& program, const Flags& flags,
                                                                const Clock& clock, Logger& logger) {
  if (flags.history == "memory") return std::make_unique<hooks::MemoryHookJournal>(flags.limits.executions);
  return hooks::SqliteHookJournal::Open(
      {.directory = flags.service.data_dir, .program = program.identity.program, .limits = flags.limits}, clock, logger);
}

int Failed(const std::string& program, const absl::Status& status) {
  std::cerr << program << ": " << status.message() << "\n";
  return 1;
}

}  // namespace

int RunHookProgram(const HookProgram& program, int argc, const char* const* argv) {
  service::BlockStopSignals();
  const std::string& name = program.identity.program;
  CLI::App app(program.description, name);
  Flags flags;
  AddFlags(app, program, flags);
  if (program.add_flags) program.add_flags(app);
  if (const auto exit_code = service::ParseCommandLine(app, argc, argv)) return *exit_code;
  const auto logger = service::MakeLogger(flags.service);
  if (!logger.ok()) {
    std::cerr << name << ": " << logger.status().message() << "\n";
    return 2;
  }

  const RealClock clock;
  auto journal = OpenJournal(program, flags, clock, **logger);
  if (!journal.ok()) return Failed(name, journal.status());
  HookService service(program.identity, flags.service, flags.hooks, **logger, clock, *std::move(journal));
  const auto rpc = program.assemble({service.chain(), service.publisher(), clock, **logger, flags.service, service.options()});
  if (!rpc.ok()) return Failed(name, rpc.status());
  return service.Run(**rpc);
}

}  // namespace pvebus::hook_service
