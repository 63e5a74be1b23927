#include "storage-service/host/network/netlink_network.h"

#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <initializer_list>

#include "absl/strings/str_format.h"
#include "sdk/netlink/netlink_message.h"
#include "sdk/netlink/netlink_socket.h"
#include "sdk/netlink/network_dump.h"
#include "sdk/netlink/network_errors.h"
#include "sdk/netlink/network_messages.h"

namespace pvebus::storage {
namespace {

uint8_t FamilyOf(const IpAddress& address) { return address.v6 ? AF_INET6 : AF_INET; }

bool IsOneOf(int error, std::initializer_list<int> errors) {
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

// A socket, and a link as it was when it was opened. One call's.
class LinkRequest {
 public:
  // `doing` is for eyes. LINK_MISSING.
  static absl::StatusOr<LinkRequest> Begin(const std::string& link, std::string doing) {
    auto socket = NetlinkSocket::Open();
    if (!socket.ok()) return socket.status();
    auto found = FindLink(*socket, link);
    if (!found.ok()) return found.status();
    return LinkRequest(*std::move(socket), *std::move(found), std::move(doing));
  }

  const Link& link() const { return link_; }
  const std::string& doing() const { return doing_; }
  NetlinkSocket& socket() { return socket_; }

  absl::StatusOr<KernelAnswer> Ask(NetlinkMessage& message) { return socket_.Exchange(message); }

  // The kernel's answer as a status. `done`: it is so already. `missing_support`: as RefusalOf.
  absl::Status Send(NetlinkMessage& message, std::initializer_list<int> done = {}, std::string_view missing_support = {}) {
    const auto answer = Ask(message);
    return answer.ok() ? StatusOf(*answer, done, missing_support) : answer.status();
  }
  absl::Status StatusOf(const KernelAnswer& answer, std::initializer_list<int> done = {},
                        std::string_view missing_support = {}) const {
    if (answer.error == 0 || IsOneOf(answer.error, done)) return absl::OkStatus();
    if (answer.error == ENODEV) return LinkMissing(link_.name);  // it went meanwhile
    return RefusalOf(answer, doing_, missing_support);
  }

 private:
  LinkRequest(NetlinkSocket socket, Link link, std::string doing)
      : socket_(std::move(socket)), link_(std::move(link)), doing_(std::move(doing)) {}

  NetlinkSocket socket_;
  Link link_;
  std::string doing_;
};

NetlinkMessage LinkMessage(int type, const Link& link) {
  ifinfomsg header{};
  header.ifi_index = link.index;
  return {type, 0, header};
}

NetlinkMessage AddressMessage(int type, int flags, const Link& link, const IpPrefix& address) {
  ifaddrmsg header{};
  header.ifa_family = FamilyOf(address.address);
  header.ifa_prefixlen = static_cast<uint8_t>(address.length);
  header.ifa_index = static_cast<uint32_t>(link.index);
  NetlinkMessage message(type, flags, header);
  message.Put(IFA_LOCAL, address.address);
  message.Put(IFA_ADDRESS, address.address);
  return message;
}

NetlinkMessage RouteMessage(int type, int flags, rtmsg header, const LinkRoute& route) {
  header.rtm_family = FamilyOf(route.subnet.address);
  header.rtm_dst_len = static_cast<uint8_t>(route.subnet.length);
  header.rtm_table = RT_TABLE_MAIN;
  NetlinkMessage message(type, flags, header);
  message.Put(RTA_DST, route.subnet.address);
  if (route.gateway) message.Put(RTA_GATEWAY, *route.gateway);
  message.Put(RTA_OIF, static_cast<uint32_t>(route.link_index));
  return message;
}

// Of the bridge's own port.
NetlinkMessage VidMessage(int type, const Link& bridge, uint16_t tag) {
  ifinfomsg header{};
  header.ifi_family = AF_BRIDGE;
  header.ifi_index = bridge.index;
  NetlinkMessage message(type, 0, header);
  message.Nest(IFLA_AF_SPEC, [&] {
    message.Put(IFLA_BRIDGE_FLAGS, uint16_t{BRIDGE_FLAGS_SELF});
    const bridge_vlan_info vlan{.flags = 0, .vid = tag};
    message.PutBytes(IFLA_BRIDGE_VLAN_INFO, &vlan, sizeof(vlan));
  });
  return message;
}

// The base of a VLAN can have a tag once: whoever has it is named.
absl::Status TagTaken(LinkRequest& request, uint16_t tag) {
  const auto network = DumpNetwork(request.socket());
  if (!network.ok()) return network.status();
  for (const Link& link : network->links) {
    if (link.lower_index != request.link().index || link.tag != tag || !link.dot1q) continue;
    return KernelRefused(request.doing(), absl::StrFormat("%s has tag %d in link %s", request.link().name, tag, link.name));
  }
  return KernelRefused(request.doing(), absl::StrFormat("%s has tag %d already", request.link().name, tag));
}

// What EEXIST means: it is there as wanted, or something is in its way.
absl::Status AddressTaken(LinkRequest& request, const IpPrefix& wanted) {
  const auto network = DumpNetwork(request.socket());
  if (!network.ok()) return network.status();
  const Link* link = network->Find(request.link().index);
  if (link == nullptr) return LinkMissing(request.link().name);
  for (const IpPrefix& address : link->addresses) {
    if (address == wanted) return absl::OkStatus();
    if (address.address == wanted.address) return KernelRefused(request.doing(), "it has " + address.ToString());
  }
  return KernelRefused(request.doing(), "it has the address already");
}

absl::Status RouteTaken(LinkRequest& request, const LinkRoute& wanted) {
  const auto network = DumpNetwork(request.socket());
  if (!network.ok()) return network.status();
  std::string other = "there is another route to it";
  for (const LinkRoute& route : network->routes) {
    if (route.subnet != wanted.subnet) continue;
    if (route.link_index == wanted.link_index && route.gateway == wanted.gateway) return absl::OkStatus();
    const Link* link = network->Find(route.link_index);
    other = absl::StrFormat("there is a route to it through %s%s", link == nullptr ? "another link" : link->name,
                            route.gateway ? " via " + route.gateway->ToString() : "");
  }
  return KernelRefused(request.doing(), other);
}

// Whether the bridge's own port is a member, tagged or not; nothing when it is none.
absl::StatusOr<std::optional<bool>> TaggedIn(LinkRequest& request, uint16_t tag) {
  const auto ports = DumpVids(request.socket());
  if (!ports.ok()) return ports.status();
  const auto has = [&](const std::vector<uint16_t>& vids) { return std::find(vids.begin(), vids.end(), tag) != vids.end(); };
  for (const PortVids& port : *ports) {
    if (port.link_index != request.link().index) continue;
    if (has(port.tagged)) return true;
    if (has(port.untagged)) return false;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<NetworkSnapshot> NetlinkNetwork::Read() { return ReadNetwork(); }

absl::StatusOr<std::optional<FoundRoute>> NetlinkNetwork::Lookup(const IpAddress& destination) {
  auto socket = NetlinkSocket::Open();
  if (!socket.ok()) return socket.status();
  rtmsg header{};
  header.rtm_family = FamilyOf(destination);
  header.rtm_dst_len = static_cast<uint8_t>(destination.bits());
  NetlinkMessage request(RTM_GETROUTE, 0, header);
  request.Put(RTA_DST, destination);
  std::optional<FoundRoute> found;
  const auto answer = socket->Exchange(request, [&](nlmsghdr* message) { found = FoundRouteOf(message); });
  if (!answer.ok()) return answer.status();
  // No route, unreachable, prohibit, blackhole, and a kernel without the family (ipv6.disable=1).
  if (IsOneOf(answer->error, {0, ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAFNOSUPPORT, EOPNOTSUPP})) return found;
  return RefusalOf(*answer, "look up " + destination.ToString());
}

absl::Status NetlinkNetwork::CreateVlan(const std::string& base, const std::string& name, uint16_t tag) {
  auto request = LinkRequest::Begin(base, absl::StrFormat("create VLAN %s with tag %d on %s", name, tag, base));
  if (!request.ok()) return request.status();
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.Put(IFLA_IFNAME, name);
  message.Put(IFLA_LINK, static_cast<uint32_t>(request->link().index));
  message.Nest(IFLA_LINKINFO, [&] {
    message.Put(IFLA_INFO_KIND, std::string("vlan"));
    message.Nest(IFLA_INFO_DATA, [&] { message.Put(IFLA_VLAN_ID, tag); });
  });
  const auto answer = request->Ask(message);
  if (!answer.ok()) return answer.status();
  if (answer->error == EEXIST) return FindLink(request->socket(), name).ok() ? LinkExists(name) : TagTaken(*request, tag);
  // A base that takes no VLANs (lo, IP over InfiniBand) is refused with the same error, and another sentence.
  const bool base_takes_none = !answer->sentence.empty() && answer->sentence != "Unknown device type";
  return request->StatusOf(*answer, {}, base_takes_none ? "" : "VLANs (module 8021q)");
}

absl::Status NetlinkNetwork::DeleteLink(const std::string& name) {
  auto request = LinkRequest::Begin(name, "delete link " + name);
  if (!request.ok()) return request.status();
  NetlinkMessage message = LinkMessage(RTM_DELLINK, request->link());
  return request->Send(message);
}

absl::Status NetlinkNetwork::SetMtu(const std::string& name, uint32_t mtu_bytes) {
  auto request = LinkRequest::Begin(name, absl::StrFormat("set the MTU of %s to %d", name, mtu_bytes));
  if (!request.ok()) return request.status();
  NetlinkMessage message = LinkMessage(RTM_SETLINK, request->link());
  message.Put(IFLA_MTU, mtu_bytes);
  return request->Send(message);
}

absl::Status NetlinkNetwork::SetUp(const std::string& name, bool up) {
  auto request = LinkRequest::Begin(name, absl::StrFormat("set %s %s", name, up ? "up" : "down"));
  if (!request.ok()) return request.status();
  ifinfomsg header{};
  header.ifi_index = request->link().index;
  header.ifi_flags = up ? IFF_UP : 0;
  header.ifi_change = IFF_UP;
  NetlinkMessage message(RTM_SETLINK, 0, header);
  return request->Send(message);
}

// Duplicate address detection of IPv6 stays on: a storage network in which somebody else has the address should show it, and
// not lose packets in silence.
absl::Status NetlinkNetwork::AddAddress(const std::string& name, const IpPrefix& address) {
  auto request = LinkRequest::Begin(name, absl::StrFormat("give %s the address %s", name, address.ToString()));
  if (!request.ok()) return request.status();
  NetlinkMessage message = AddressMessage(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, request->link(), address);
  const auto answer = request->Ask(message);
  if (!answer.ok()) return answer.status();
  // Of IPv6 also when it is there with another length.
  if (answer->error == EEXIST) return AddressTaken(*request, address);
  return request->StatusOf(*answer);
}

absl::Status NetlinkNetwork::RemoveAddress(const std::string& name, const IpPrefix& address) {
  auto request = LinkRequest::Begin(name, absl::StrFormat("take the address %s from %s", address.ToString(), name));
  if (!request.ok()) return request.status();
  NetlinkMessage message = AddressMessage(RTM_DELADDR, 0, request->link(), address);
  return request->Send(message, {EADDRNOTAVAIL});
}

absl::Status NetlinkNetwork::AddRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) {
  auto request =
      LinkRequest::Begin(name, absl::StrFormat("route %s via %s through %s", subnet.ToString(), gateway.ToString(), name));
  if (!request.ok()) return request.status();
  rtmsg header{};
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  header.rtm_flags = RTNH_F_ONLINK;
  const LinkRoute route{request->link().index, subnet, gateway};
  NetlinkMessage message = RouteMessage(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header, route);
  const auto answer = request->Ask(message);
  if (!answer.ok()) return answer.status();
  // Also when the subnet is routed otherwise.
  if (answer->error == EEXIST) return RouteTaken(*request, route);
  return request->StatusOf(*answer);
}

absl::Status NetlinkNetwork::RemoveRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) {
  auto request =
      LinkRequest::Begin(name, absl::StrFormat("remove route %s via %s through %s", subnet.ToString(), gateway.ToString(), name));
  if (!request.ok()) return request.status();
  rtmsg header{};
  header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  NetlinkMessage message = RouteMessage(RTM_DELROUTE, 0, header, {request->link().index, subnet, gateway});
  return request->Send(message, {ESRCH});
}

absl::Status NetlinkNetwork::AddBridgeVid(const std::string& bridge, uint16_t tag) {
  auto request = LinkRequest::Begin(bridge, absl::StrFormat("make %s a member of its VLAN %d", bridge, tag));
  if (!request.ok()) return request.status();
  if (request->link().kind != "bridge") return KernelRefused(request->doing(), bridge + " is no bridge");
  const auto tagged = TaggedIn(*request, tag);
  if (!tagged.ok()) return tagged.status();
  // To add an untagged member again would make it a tagged one, and take the host's own address off the network.
  if (*tagged == false) return KernelRefused(request->doing(), absl::StrFormat("it is one already, without a tag"));
  if (*tagged == true) return absl::OkStatus();
  NetlinkMessage message = VidMessage(RTM_SETLINK, request->link(), tag);
  return request->Send(message, {}, "VLAN filtering in bridges (CONFIG_BRIDGE_VLAN_FILTERING)");
}

absl::Status NetlinkNetwork::RemoveBridgeVid(const std::string& bridge, uint16_t tag) {
  auto request = LinkRequest::Begin(bridge, absl::StrFormat("take %s out of its VLAN %d", bridge, tag));
  if (!request.ok()) return request.status();
  if (request->link().kind != "bridge") return KernelRefused(request->doing(), bridge + " is no bridge");
  const auto tagged = TaggedIn(*request, tag);
  if (!tagged.ok()) return tagged.status();
  if (*tagged != true) return absl::OkStatus();
  NetlinkMessage message = VidMessage(RTM_DELLINK, request->link(), tag);
  return request->Send(message, {ENOENT});
}

}  // namespace pvebus::storage
