#include "cli/service_option.h"

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace pvebus::cli {

AskService AddServiceOption(CLI::App& command, const std::string& name, const std::string& address, Action& action) {
  const std::string service = name + "-service";
  const std::string option = "--" + name;
  const std::string variable = "PVEBUS_" + absl::AsciiStrToUpper(name);
  auto server = std::make_shared<Server>(
      Server{service, address, absl::StrFormat("%s or %s", option, variable), absl::StrFormat("see what %s logs", service)});
  command.add_option(option, server->address, absl::StrFormat("Where %s is: HOST:PORT or unix:/PATH", service))
      ->envname(variable)
      ->capture_default_str()
      ->type_name("ADDRESS");
  return [server, &action](Action of_command) {
    action = [server, of_command = std::move(of_command)](const GlobalOptions& global, Console& console) {
      return of_command({*server, global.timeout}, console);
    };
  };
}

}  // namespace pvebus::cli
