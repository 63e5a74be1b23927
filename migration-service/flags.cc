#include "migration-service/flags.h"

#include <chrono>
#include <filesystem>

#include "CLI/CLI.hpp"

namespace pvebus::migration {
namespace {

// Programs are run in "/".
std::string CheckAbsolute(const std::string& path) {
  return std::filesystem::path(path).is_absolute() ? "" : "is no absolute path: " + path;
}

std::string CheckOverride(const std::string& line) {
  const auto rule = ParseOverride(line);
  return rule.ok() ? "" : std::string(rule.status().message());
}

void AddGates(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Before the phase goes forward (without --force)";
  app.add_option("--gate-transactions", flags.gates.min_transactions, "Network transactions applied in the phase in force")
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--gate-failure-share", flags.gates.max_failure_share,
                 "At most this share of the new implementation's calls failed in it: 0.01")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->group(kGroup);
  app.add_option("--gate-reports", flags.gates.min_reports, "Of at least so many calls that were reported in it")
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--gate-listener", flags.gates.quiet_listeners, "Listeners that must have no dead letters; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(kGroup);
}

void AddStepBack(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Going back by itself";
  app.add_option("--step-back-share", flags.outcomes.step_back,
                 "One phase back when more than this share of the last calls of the new implementation failed (default: never)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->group(kGroup);
  app.add_option("--step-back-window", flags.outcomes.window, "How many calls these are")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000))
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--step-back-least", flags.outcomes.least, "How many of them there have to be at least")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000))
      ->type_name("N")
      ->group(kGroup);
}

void AddRoutes(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Who answers which call";
  const auto milliseconds = [&](const char* name, std::chrono::milliseconds& target, const char* what) {
    app.add_option_function<int>(
           name, [&target](const int& seconds) { target = std::chrono::seconds(seconds); }, what)
        ->check(CLI::Range(1, 3600))
        ->type_name("SECONDS")
        ->default_str(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(target).count()))
        ->group(kGroup);
  };
  app.add_option("--route", flags.overrides,
                 "An exception, in every phase: \"GET,PUT nodes/{node}/network/** perl\"; the first that fits holds; repeatable")
      ->type_name("RULE")
      ->allow_extra_args(false)
      ->check(CheckOverride)
      ->group(kGroup);
  milliseconds("--read-timeout", flags.timeouts.read, "How long whoever asks should wait for a read");
  milliseconds("--write-timeout", flags.timeouts.write, "The same for all else");
}

void AddRouteMap(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "nginx in front of both implementations";
  NginxRouteMap::Options& map = flags.route_map;
  app.add_option("--route-map", map.path,
                 "Write a `map` of nginx here whenever the phase changes; it sets $pvebus_upstream to pvebus_perl or pvebus_rust")
      ->type_name("FILE")
      ->check(CheckAbsolute)
      ->group(kGroup);
  app.add_flag("--route-map-check,!--no-route-map-check", map.check, "Have it checked by `nginx -t`; on unless turned off")
      ->group(kGroup);
  app.add_flag("--route-map-reload", map.reload, "Tell nginx to reload (`nginx -s reload`)")->group(kGroup);
  app.add_option("--nginx", map.nginx, "The program")
      ->capture_default_str()
      ->type_name("FILE")
      ->check(CheckAbsolute)
      ->group(kGroup);
  app.add_option("--nginx-config", map.nginx_config, "Its configuration, which includes the map (default: nginx's own)")
      ->type_name("FILE")
      ->check(CheckAbsolute)
      ->group(kGroup);
}

}  // namespace

void AddFlags(CLI::App& app, Flags& flags) {
  AddGates(app, flags);
  AddStepBack(app, flags);
  AddRoutes(app, flags);
  AddRouteMap(app, flags);
}

}  // namespace pvebus::migration
