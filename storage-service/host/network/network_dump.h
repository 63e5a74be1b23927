#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/host/network/netlink_socket.h"
#include "storage-service/host/network/network_messages.h"

namespace pvebus::storage {

// What the kernel has, read over `socket`. UNAVAILABLE NETWORK_UNSETTLED when it changes all the time.
absl::StatusOr<NetworkSnapshot> DumpNetwork(NetlinkSocket& socket);
absl::StatusOr<std::vector<PortVids>> DumpVids(NetlinkSocket& socket);

// NOT_FOUND LINK_MISSING.
absl::StatusOr<Link> FindLink(NetlinkSocket& socket, const std::string& name);

}  // namespace pvebus::storage
