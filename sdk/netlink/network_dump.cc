#include "sdk/netlink/network_dump.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "sdk/netlink/netlink_message.h"
#include "sdk/netlink/network_errors.h"

namespace pvebus {
namespace {

// A list that changes under us is read again, a few times.
constexpr int kAttempts = 10;

template <typename Header>
absl::Status DumpOnce(NetlinkSocket& socket, int type, const Header& header, const std::function<void(nlmsghdr*)>& on_message) {
  NetlinkMessage request(type, NLM_F_DUMP, header);
  if (type == RTM_GETLINK) request.Put(IFLA_EXT_MASK, uint32_t{RTEXT_FILTER_BRVLAN | RTEXT_FILTER_SKIP_STATS});
  const auto answer = socket.Exchange(request, on_message);
  if (!answer.ok()) return answer.status();
  return answer->error == 0 ? absl::OkStatus() : RefusalOf(*answer, "list the network");
}

// `append` adds to the list what a message holds.
template <typename Item, typename Header, typename Append>
absl::StatusOr<std::vector<Item>> Dump(NetlinkSocket& socket, int type, const Header& header, Append append) {
  absl::Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::vector<Item> items;
    status = DumpOnce(socket, type, header, [&](nlmsghdr* message) { append(message, items); });
    if (status.ok()) return items;
    if (!absl::IsUnavailable(status)) break;
  }
  return status;
}

template <typename Item>
auto AppendIf(std::optional<Item> (*read)(nlmsghdr*)) {
  return [read](nlmsghdr* message, std::vector<Item>& items) {
    if (auto item = read(message)) items.push_back(*std::move(item));
  };
}

void Attach(const LinkAddress& address, std::vector<Link>& links) {
  for (Link& link : links) {
    if (link.index == address.link_index) link.addresses.push_back(address.address);
  }
}

// Those that come to the bridge with their tag: what loses it there is not of use to a VLAN on top.
void Attach(const PortVids& port, std::vector<Link>& links) {
  for (Link& link : links) {
    if (link.index != port.link_index || !link.vlan_aware) continue;
    link.bridge_vids = port.tagged;
    std::sort(link.bridge_vids.begin(), link.bridge_vids.end());
  }
}

absl::Status AddVids(NetlinkSocket& socket, std::vector<Link>& links) {
  // Most nodes have none, and a kernel without bridges need not be asked.
  if (std::none_of(links.begin(), links.end(), [](const Link& link) { return link.vlan_aware; })) return absl::OkStatus();
  const auto ports = DumpVids(socket);
  if (!ports.ok()) return ports.status();
  for (const PortVids& port : *ports) Attach(port, links);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NetworkSnapshot> ReadNetwork() {
  auto socket = NetlinkSocket::Open();
  return socket.ok() ? DumpNetwork(*socket) : socket.status();
}

absl::StatusOr<NetworkSnapshot> DumpNetwork(NetlinkSocket& socket) {
  auto links = Dump<Link>(socket, RTM_GETLINK, ifinfomsg{}, AppendIf(&LinkOf));
  if (!links.ok()) return links.status();
  const auto addresses = Dump<LinkAddress>(socket, RTM_GETADDR, ifaddrmsg{}, AppendIf(&AddressOf));
  if (!addresses.ok()) return addresses.status();
  auto routes = Dump<LinkRoute>(socket, RTM_GETROUTE, rtmsg{}, [](nlmsghdr* message, std::vector<LinkRoute>& items) {
    for (const LinkRoute& route : RoutesOf(message)) items.push_back(route);
  });
  if (!routes.ok()) return routes.status();
  if (const absl::Status vids = AddVids(socket, *links); !vids.ok()) return vids;
  for (const LinkAddress& address : *addresses) Attach(address, *links);
  return NetworkSnapshot{*std::move(links), *std::move(routes)};
}

absl::StatusOr<std::vector<PortVids>> DumpVids(NetlinkSocket& socket) {
  ifinfomsg bridges{};
  bridges.ifi_family = AF_BRIDGE;
  return Dump<PortVids>(socket, RTM_GETLINK, bridges, AppendIf(&PortVidsOf));
}

absl::StatusOr<Link> FindLink(NetlinkSocket& socket, const std::string& name) {
  // The kernel has other words for a name that it could not have.
  if (name.empty() || name.size() >= IFNAMSIZ) return LinkMissing(name);
  NetlinkMessage request(RTM_GETLINK, 0, ifinfomsg{});
  request.Put(IFLA_IFNAME, name);
  std::optional<Link> found;
  const auto answer = socket.Exchange(request, [&](nlmsghdr* message) { found = LinkOf(message); });
  if (!answer.ok()) return answer.status();
  if (answer->error == ENODEV || (answer->error == 0 && !found)) return LinkMissing(name);
  if (answer->error != 0) return RefusalOf(*answer, "read link " + name);
  return *std::move(found);
}

}  // namespace pvebus
