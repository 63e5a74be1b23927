#include "sdk/service/flags.h"

#include <unistd.h>

#include <array>
#include <iostream>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "sdk/base/nearest.h"
#include "sdk/service/listen_address.h"

namespace pvebus::service {
namespace {

std::vector<std::string> FlagNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string Hint(std::string_view typed, const CLI::App& app) {
  const std::optional<std::string> nearest = Nearest(typed, FlagNames(app));
  return nearest ? " (did you mean " + *nearest + "?)" : "";
}

std::string DescribeExtras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  for (const std::string& extra : extras) {
    if (!extra.starts_with("-")) continue;
    const std::string flag = extra.substr(0, extra.find('='));
    return "unknown flag " + flag + Hint(flag, app);
  }
  return extras.empty() ? "unexpected argument" : "unexpected argument '" + extras.front() + "'";
}

// CLI11 has no other way to tell which key it was.
std::string DescribeConfigError(const CLI::App& app, const CLI::ConfigError& error) {
  constexpr std::string_view kUnknownKey = "INI was not able to parse ";
  const std::string what = error.what();
  if (!what.starts_with(kUnknownKey)) return "--config: " + what;
  const std::string key = what.substr(kUnknownKey.size());
  const std::optional<std::string> nearest = Nearest("--" + key, FlagNames(app));
  return "--config: unknown key '" + key + "'" + (nearest ? " (did you mean '" + nearest->substr(2) + "'?)" : "");
}

// CLI11's checks: empty when the value is good.
std::string IsBusAddress(const std::string& value) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(value);
  if (address.ok() && (address->is_unix() || address->port != 0)) return "";
  return "'" + value + "' is no address of a bus; write 127.0.0.1:7400, [::1]:7400 or unix:/run/pvebus/bus.sock";
}

// What the bus allows for a node or an instance.
std::string IsShort(const std::string& value) {
  constexpr size_t kMaxBytes = 128;
  return value.size() <= kMaxBytes ? ""
                                   : "it has " + std::to_string(value.size()) + " bytes; at most " + std::to_string(kMaxBytes);
}

int UsageError(const CLI::App& app, const std::string& what) {
  std::cerr << app.get_name() << ": " << what << "\nRun '" << app.get_name() << " --help' for all flags.\n";
  return 2;
}

}  // namespace

void AddServiceFlags(CLI::App& app, ServiceOptions& options, const std::string& default_listen) {
  options.listen = {default_listen};
  app.option_defaults()->always_capture_default();
  app.set_help_flag("--help", "Print this and exit");
  app.set_version_flag("--version", PVEBUS_VERSION, "Print the version and exit");
  app.set_config("--config", "", "Flags from a TOML file, same names: log-level = \"debug\". The command line wins")
      ->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);

  app.add_option("--listen", options.listen,
                 "Where to serve: 127.0.0.1:7400, [::1]:7400, unix:/run/pvebus/x.sock. Port 0 picks a free one")
      ->type_name("ADDRESS")
      ->allow_extra_args(false)
      ->group("Serving (repeat --listen for several addresses)");
  app.add_flag("--insecure", options.insecure,
               "Listen beyond 127.0.0.0/8, ::1 and unix sockets without TLS: whoever reaches the port can use it")
      ->group("Serving (repeat --listen for several addresses)");
  app.add_option("--data-dir", options.data_dir, "Folder for what survives a restart; a service that keeps nothing ignores it")
      ->type_name("DIR")
      ->group("Files");
  app.add_option("--log-level", options.log_level, "Least severe lines to print on standard error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->type_name("LEVEL")
      ->group("Logging");
  app.add_option("--log-format", options.log_format, "Lines for eyes or one JSON object per line")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->group("Logging");
  app.footer("Example:\n  " + app.get_name() + " --listen " + default_listen + " --listen unix:/run/pvebus/" + app.get_name() +
             ".sock --log-format json");

  app.parse_complete_callback([&options] {
    const absl::Status status = CheckListenAddresses(options);
    if (!status.ok()) throw CLI::ValidationError("--listen", std::string(status.message()));
  });
}

void AddHookServiceFlags(CLI::App& app, HookServiceOptions& options) {
  constexpr char kGroup[] = "The bus";
  options.node = HostName();
  app.add_option("--bus", options.bus, "The bus: 127.0.0.1:7400 or unix:/run/pvebus/bus.sock")
      ->type_name("ADDRESS")
      ->check(IsBusAddress)
      ->group(kGroup);
  app.add_option("--node", options.node, "Name of this node, shown in the bus's registry (at most 128 bytes)")
      ->type_name("NAME")
      ->check(IsShort)
      ->group(kGroup);
  app.add_option("--instance-id", options.instance_id,
                 "Tells this instance from others: the same one takes its listener name over at once (at most 128 bytes)")
      ->type_name("ID")
      ->check(IsShort)
      ->default_str(app.get_name() + "@<node>")
      ->group(kGroup);
}

std::optional<int> ParseCommandLine(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::CallForVersion& version) {
    std::cout << app.get_name() << " " << version.what() << "\n";
    return 0;
  } catch (const CLI::ExtrasError&) {
    return UsageError(app, DescribeExtras(app));
  } catch (const CLI::ConfigError& error) {
    return UsageError(app, DescribeConfigError(app, error));
  } catch (const CLI::FileError& error) {
    return UsageError(app, std::string("--config: ") + error.what());
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error.what());
  }
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  const std::string full = name.data();
  return full.substr(0, full.find('.'));
}

}  // namespace pvebus::service
