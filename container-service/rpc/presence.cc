#include "container-service/rpc/presence.h"

#include "container-service/core/container_devices.h"

namespace pvebus::container {

bool IsPresent(const ContainerNode& node, const NetworkSnapshot& network, uint32_t container_id) {
  return DevicesByContainer(network).contains(container_id) || node.IsRunning(container_id);
}

bool HasGoneMeanwhile(const ContainerNode& node, const client::EventContext& context, const Lifecycle& what) {
  if (context.attempt() <= 1 || !HasNetworkAfter(what.kind)) return false;
  const auto network = node.ReadNetwork();
  return network.ok() && !IsPresent(node, *network, what.container_id);
}

}  // namespace pvebus::container
