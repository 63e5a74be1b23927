#include "sdk/netlink/network_messages.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstring>
#include <string_view>

#include "sdk/netlink/netlink_message.h"

namespace pvebus {
namespace {

// Null when the message is not of this type or has no whole header.
template <typename Header>
const Header* HeaderOf(nlmsghdr* message, int type) {
  if (message->nlmsg_type != type || nlmsg_datalen(message) < static_cast<int>(sizeof(Header))) return nullptr;
  return static_cast<const Header*>(nlmsg_data(message));
}

bool IsIp(int family) { return family == AF_INET || family == AF_INET6; }

bool IsLinkLocal(const IpAddress& address) { return address.v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80; }

void ReadKind(const NetlinkAttributes& attributes, Link& link) {
  const NetlinkAttributes info = attributes.Nested(IFLA_LINKINFO);
  link.kind = info.Text(IFLA_INFO_KIND);
  const NetlinkAttributes data = info.Nested(IFLA_INFO_DATA);
  if (link.kind == "vlan") {
    // The index of a parent in another network namespace means nothing in ours.
    if (!attributes.Has(IFLA_LINK_NETNSID)) link.lower_index = static_cast<int>(attributes.Number(IFLA_LINK).value_or(0));
    link.tag = static_cast<uint16_t>(data.Number(IFLA_VLAN_ID).value_or(0));
    link.dot1q = data.Number(IFLA_VLAN_PROTOCOL) == htons(ETH_P_8021Q);
  } else if (link.kind == "bridge") {
    link.vlan_aware = data.Number(IFLA_BR_VLAN_FILTERING).value_or(0) != 0;
  }
}

// Of IPv4, IPv6, or of IPv4 over an IPv6 neighbour.
std::optional<IpAddress> GatewayOf(const NetlinkAttributes& attributes) {
  if (auto gateway = attributes.Address(RTA_GATEWAY)) return gateway;
  const nlattr* via = attributes.Find(RTA_VIA);
  constexpr int kFamilyBytes = offsetof(rtvia, rtvia_addr);
  if (via == nullptr || nla_len(via) < kFamilyBytes) return std::nullopt;
  return AddressOfBytes(static_cast<const char*>(nla_data(via)) + kFamilyBytes, nla_len(via) - kFamilyBytes);
}

void ReadHops(const nlattr& hops, const IpPrefix& subnet, std::vector<LinkRoute>& routes) {
  const auto* at = static_cast<const char*>(nla_data(&hops));
  int left = nla_len(&hops);
  while (left >= static_cast<int>(sizeof(rtnexthop))) {
    rtnexthop hop{};
    std::memcpy(&hop, at, sizeof(hop));
    if (hop.rtnh_len < sizeof(rtnexthop) || hop.rtnh_len > left) return;
    const NetlinkAttributes attributes(reinterpret_cast<const nlattr*>(at + sizeof(hop)),
                                       static_cast<int>(hop.rtnh_len - sizeof(hop)));
    routes.push_back({hop.rtnh_ifindex, subnet, GatewayOf(attributes)});
    left -= RTNH_ALIGN(hop.rtnh_len);
    at += RTNH_ALIGN(hop.rtnh_len);
  }
}

IpPrefix SubnetOf(const rtmsg& route, const NetlinkAttributes& attributes) {
  IpAddress everything;
  everything.v6 = route.rtm_family == AF_INET6;
  return {attributes.Address(RTA_DST).value_or(everything), route.rtm_dst_len};
}

}  // namespace

std::optional<Link> LinkOf(nlmsghdr* message) {
  const auto* header = HeaderOf<ifinfomsg>(message, RTM_NEWLINK);
  if (header == nullptr || header->ifi_family == AF_BRIDGE) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof(ifinfomsg));
  Link link;
  link.index = header->ifi_index;
  link.name = attributes.Text(IFLA_IFNAME);
  link.master_index = static_cast<int>(attributes.Number(IFLA_MASTER).value_or(0));
  link.mtu = attributes.Number(IFLA_MTU).value_or(0);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.running = (header->ifi_flags & IFF_LOWER_UP) != 0;
  ReadKind(attributes, link);
  return link;
}

std::optional<LinkAddress> AddressOf(nlmsghdr* message) {
  const auto* header = HeaderOf<ifaddrmsg>(message, RTM_NEWADDR);
  if (header == nullptr || !IsIp(header->ifa_family)) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof(ifaddrmsg));
  auto address = attributes.Address(IFA_LOCAL);  // IFA_ADDRESS is the peer's, where there is one
  if (!address) address = attributes.Address(IFA_ADDRESS);
  if (!address || IsLinkLocal(*address)) return std::nullopt;
  return LinkAddress{static_cast<int>(header->ifa_index), {*address, header->ifa_prefixlen}};
}

std::vector<LinkRoute> RoutesOf(nlmsghdr* message) {
  const auto* header = HeaderOf<rtmsg>(message, RTM_NEWROUTE);
  if (header == nullptr || !IsIp(header->rtm_family) || header->rtm_type != RTN_UNICAST) return {};
  const NetlinkAttributes attributes(message, sizeof(rtmsg));
  if (attributes.Number(RTA_TABLE).value_or(header->rtm_table) != RT_TABLE_MAIN) return {};
  const IpPrefix subnet = SubnetOf(*header, attributes);
  std::vector<LinkRoute> routes;
  if (const auto link = attributes.Number(RTA_OIF)) {
    routes.push_back({static_cast<int>(*link), subnet, GatewayOf(attributes)});
  } else if (const nlattr* hops = attributes.Find(RTA_MULTIPATH)) {
    ReadHops(*hops, subnet, routes);
  }
  return routes;
}

std::optional<FoundRoute> FoundRouteOf(nlmsghdr* message) {
  const auto* header = HeaderOf<rtmsg>(message, RTM_NEWROUTE);
  if (header == nullptr) return std::nullopt;
  if (header->rtm_type == RTN_UNREACHABLE || header->rtm_type == RTN_PROHIBIT || header->rtm_type == RTN_BLACKHOLE)
    return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof(rtmsg));
  FoundRoute route;
  route.link_index = static_cast<int>(attributes.Number(RTA_OIF).value_or(0));
  route.gateway = GatewayOf(attributes);
  route.local = header->rtm_type == RTN_LOCAL;
  return route;
}

std::optional<PortVids> PortVidsOf(nlmsghdr* message) {
  const auto* header = HeaderOf<ifinfomsg>(message, RTM_NEWLINK);
  if (header == nullptr || header->ifi_family != AF_BRIDGE) return std::nullopt;
  PortVids port;
  port.link_index = header->ifi_index;
  NetlinkAttributes(message, sizeof(ifinfomsg)).Nested(IFLA_AF_SPEC).ForEach([&](const nlattr& attribute) {
    if (nla_type(&attribute) != IFLA_BRIDGE_VLAN_INFO || nla_len(&attribute) < static_cast<int>(sizeof(bridge_vlan_info))) return;
    const auto* vlan = static_cast<const bridge_vlan_info*>(nla_data(&attribute));
    const bool untagged = (vlan->flags & (BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED)) != 0;
    (untagged ? port.untagged : port.tagged).push_back(vlan->vid);
  });
  return port;
}

}  // namespace pvebus
