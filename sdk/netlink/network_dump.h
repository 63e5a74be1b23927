#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/base/network.h"
#include "sdk/netlink/netlink_socket.h"
#include "sdk/netlink/network_messages.h"

namespace pvebus {

// The network of the calling thread's namespace, over a socket of its own. KERNEL_REFUSED; UNAVAILABLE NETWORK_UNSETTLED when it
// changes all the time.
absl::StatusOr<NetworkSnapshot> ReadNetwork();

// What the kernel has, read over `socket`. UNAVAILABLE NETWORK_UNSETTLED when it changes all the time.
absl::StatusOr<NetworkSnapshot> DumpNetwork(NetlinkSocket& socket);
absl::StatusOr<std::vector<PortVids>> DumpVids(NetlinkSocket& socket);

// NOT_FOUND LINK_MISSING.
absl::StatusOr<Link> FindLink(NetlinkSocket& socket, const std::string& name);

}  // namespace pvebus
