#include "network-service/flags.h"

#include <filesystem>

#include "CLI/CLI.hpp"

namespace pvebus::network {
namespace {

// Programs run in "/".
std::string CheckAbsolute(const std::string& path) {
  return std::filesystem::path(path).is_absolute() ? "" : "is no absolute path: " + path;
}

}  // namespace

void AddFlags(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "The network configuration";
  const auto add_path = [&](const char* name, std::string& path, const char* what, const char* type) {
    app.add_option(name, path, what)->capture_default_str()->type_name(type)->check(CheckAbsolute)->group(kGroup);
  };
  add_path("--etc-network", flags.etc_network, "Where interfaces and interfaces.new are", "DIR");
  add_path("--ifreload", flags.ifreload, "ifupdown2's program that brings the network to what the file says", "FILE");
  add_path("--ifup", flags.ifup, "ifupdown2's program that is asked about the syntax", "FILE");
  add_path("--ifupdown-lock", flags.ifupdown_lock, "What ifupdown2 holds while it is at work", "FILE");
  app.add_option_function<int>(
         "--reload-limit", [&flags](const int& seconds) { flags.reload_limit = std::chrono::seconds(seconds); },
         "How long ifreload may run; then it is ended and the old configuration is put back")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS")
      ->default_str(std::to_string(flags.reload_limit.count()))
      ->group(kGroup);
  app.add_option("--history-limit", flags.history_limit, "Applies that are listed; older ones are forgotten")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000))
      ->type_name("N")
      ->group(kGroup);
  app.add_flag("--watch-files,!--no-watch-files", flags.watch_files,
               "Publish NetworkApplied also for what others change in the files; on unless turned off")
      ->group(kGroup);
}

}  // namespace pvebus::network
