#include "storage-service/flags.h"

#include "CLI/CLI.hpp"

namespace pvebus::storage {
namespace {

CLI::Option* AddSeconds(CLI::App& app, const std::string& name, std::chrono::seconds& target, int least, int most,
                        const std::string& description) {
  return app
      .add_option_function<int>(
          name, [&target](const int& number) { target = std::chrono::seconds(number); }, description)
      ->check(CLI::Range(least, most))
      ->type_name("SECONDS")
      ->default_str(std::to_string(target.count()));
}

}  // namespace

void AddFlags(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Storages";
  app.add_option("--storage-config", flags.storage_config, "The node's storage.cfg; read again whenever it changes")
      ->capture_default_str()
      ->type_name("FILE")
      ->group(kGroup);
  AddSeconds(app, "--refresh-interval", flags.refresh_interval, 0, 86'400,
             "How often all storages are checked; 0: only when the network, storage.cfg or an operator asks for it")
      ->group(kGroup);
  AddSeconds(app, "--probe-limit", flags.probe_limit, 1, 60, "How long the servers of storages have to answer a check")
      ->group(kGroup);
  AddSeconds(app, "--repair-delay", flags.repair_delay, 0, 600,
             "How long the node's links must be quiet before a VLAN that somebody deleted or changed is put right: whoever is\n"
             "rebuilding the network shall not be disturbed. NetworkApplied does not wait for it")
      ->group(kGroup);
}

}  // namespace pvebus::storage
