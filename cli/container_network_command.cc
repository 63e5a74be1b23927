#include <memory>

#include "cli/connection.h"
#include "cli/container_commands.h"
#include "cli/container_network_output.h"
#include "cli/error_output.h"
#include "cli/proto_json.h"
#include "pvebus/container/v1/container_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using container::v1::ContainerService;
using container::v1::GetContainerNetworkRequest;

int ShowNetwork(const GetContainerNetworkRequest& request, const GlobalOptions& global, Console& console) {
  const auto response = Ask<ContainerService>(&ContainerService::Stub::GetContainerNetwork, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintContainerNetwork(response->network(), out); });
  return ExitCodeOf(response->network());
}

}  // namespace

void AddContainerNetworkCommand(CLI::App& container, const AskService& ask) {
  auto request = std::make_shared<GetContainerNetworkRequest>();
  CLI::App* command = container.add_subcommand(
      "network", "The network of a container: what its file says, what the kernel has, and what is wrong with it");
  const auto set_id = [request = request.get()](uint32_t id) { request->set_container_id(id); };
  CheckVmid(command->add_option_function<uint32_t>("VMID", set_id, "The container"))->required();
  command->footer(R"(Examples:
  pvebus container network 101
  pvebus container network 101 --output json | jq '.network.findings[] | select(.warning | not)'
  pvebus container network 101 >/dev/null || echo "101 is not connected as it should be"

Of a container that does not run the kernel has no devices. The device of an interface with a firewall is in a bridge of its own
(fwbr...), which is in the BRIDGE of the file. Findings that name a line are about the file: what Proxmox VE ignores or does not
take.

Exit status: 0 it is as it should be, or there are only warnings, 1 an interface does not work as the file says (an `error` among
the findings), 2 wrong usage, 3 container-service is unreachable or refused.)");
  command->callback([request, ask] {
    ask([request](const GlobalOptions& global, Console& console) { return ShowNetwork(*request, global, console); });
  });
}

}  // namespace pvebus::cli
