#include "container-service/flags.h"

#include <filesystem>

#include "CLI/CLI.hpp"

namespace pvebus::container {
namespace {

// Programs are found from wherever they run.
std::string CheckAbsolute(const std::string& path) {
  return std::filesystem::path(path).is_absolute() ? "" : "is no absolute path: " + path;
}

}  // namespace

void AddFlags(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Containers";
  app.add_option("--lxc-dir", flags.paths.lxc_directory, "Where the containers' files are, VMID.conf")
      ->capture_default_str()
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--sdn-dir", flags.paths.sdn_directory, "Where .running-config is, which tells vnets from bridges")
      ->capture_default_str()
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--hooks-dir", flags.hooks_directory, "Programs that are run for starts and stops; looked at for each event")
      ->capture_default_str()
      ->type_name("DIR")
      ->check(CheckAbsolute)
      ->group(kGroup);
  app.add_option_function<int>(
         "--program-limit", [&flags](const int& seconds) { flags.program_limit = std::chrono::seconds(seconds); },
         "How long each program may run; then it is ended with all processes of its group")
      ->check(CLI::Range(1, 600))
      ->type_name("SECONDS")
      ->default_str(std::to_string(flags.program_limit.count()))
      ->group(kGroup);
  app.add_option("--parallel-programs", flags.parallel_programs, "How many programs run at once, of all containers together")
      ->capture_default_str()
      ->check(CLI::Range(1, 256))
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--spool-dir", flags.spool,
                 "Where hookscripts leave what the bus must hear of (default: spool in the data directory)")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_flag("--watch-links,!--no-watch-links", flags.watch_links,
               "Find out from the node's links that containers start, stop, and change their networks; on unless turned off")
      ->group(kGroup);
}

}  // namespace pvebus::container
