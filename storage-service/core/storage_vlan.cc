#include "storage-service/core/storage_vlan.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "storage-service/core/storage_values.h"
#include "storage-service/core/vlan_errors.h"

namespace pvebus::storage {
namespace {

constexpr size_t kMostRoutes = 64;

bool Within(const IpAddress& address, std::string_view subnet) { return ParseIpPrefix(subnet)->Contains(address); }

// The last address of an IPv4 subnet that has one for everybody.
bool IsBroadcast(const IpPrefix& prefix) {
  if (prefix.address.v6 || prefix.length > 30) return false;
  IpPrefix inverted = prefix;
  for (uint8_t& byte : inverted.address.bytes) byte = static_cast<uint8_t>(~byte);
  std::fill(inverted.address.bytes.begin() + 4, inverted.address.bytes.end(), 0);
  // No host bit is left exactly when all of them were set.
  return inverted == inverted.Subnet();
}

bool HasRoomForHosts(const IpPrefix& prefix) { return prefix.length + 1 < prefix.address.bits(); }

// What the address is that no host can have; empty when one can.
std::string WhyNoHost(const IpAddress& address) {
  if (address.v6) {
    if (Within(address, "ff00::/8")) return "a multicast address";
    if (Within(address, "::1/128")) return "a loopback address";
    if (Within(address, "::/128")) return "no address of a host";
    if (Within(address, "::ffff:0:0/96")) return "an IPv4 address written as IPv6";
    return "";
  }
  if (Within(address, "224.0.0.0/4")) return "a multicast address";
  if (Within(address, "127.0.0.0/8")) return "a loopback address";
  if (Within(address, "0.0.0.0/8") || Within(address, "240.0.0.0/4")) return "no address of a host";
  return "";
}

std::string WhyNoHostIn(const IpPrefix& prefix) {
  if (std::string why = WhyNoHost(prefix.address); !why.empty()) return why;
  if (HasRoomForHosts(prefix) && prefix == prefix.Subnet()) return "the subnet itself, not a host in it";
  if (IsBroadcast(prefix)) return "the broadcast address of its subnet";
  return "";
}

absl::Status CheckBase(const StorageVlan& vlan) {
  // The kernel takes more, but what is in a name here is also in nftables rules, where * and quotes mean something.
  constexpr std::string_view kPunctuation = "-_.+";
  const auto allowed = [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kPunctuation.find(c) != std::string_view::npos;
  };
  if (vlan.base.empty()) return BaseInvalid(vlan.base, "it is empty");
  if (vlan.base == "." || vlan.base == "..") return BaseInvalid(vlan.base, "the kernel does not take it");
  if (!std::all_of(vlan.base.begin(), vlan.base.end(), allowed)) {
    return BaseInvalid(vlan.base, "it has other characters than letters, digits and - _ . +");
  }
  if (vlan.base.size() > kLongestLinkName) {
    return BaseInvalid(vlan.base, absl::StrFormat("it has %d bytes; the kernel takes %d", vlan.base.size(), kLongestLinkName));
  }
  return absl::OkStatus();
}

absl::Status CheckAddress(const IpPrefix& address) {
  if (address.length < 1 || address.length > address.address.bits()) {
    return AddressInvalid(address, "without the length of its subnet: 10.1.0.5/24");
  }
  if (std::string why = WhyNoHostIn(address); !why.empty()) return AddressInvalid(address, why);
  if (address.address.v6 && Within(address.address, "fe80::/10")) {
    return AddressInvalid(address, "a link-local address, which every link has");
  }
  return absl::OkStatus();
}

absl::Status CheckGateway(const StorageVlan& vlan) {
  if (!vlan.gateway) return absl::OkStatus();
  const IpAddress& gateway = *vlan.gateway;
  if (gateway.v6 != vlan.address.address.v6) {
    return GatewayInvalid(gateway, absl::StrFormat("is of another family than %s", vlan.address.ToString()));
  }
  if (gateway == vlan.address.address) return GatewayInvalid(gateway, "is the VLAN's own address");
  // Outside of the subnet it is reached all the same: the route says that it is on the link.
  const IpPrefix place{gateway, vlan.address.Contains(gateway) ? vlan.address.length : gateway.bits()};
  if (std::string why = WhyNoHostIn(place); !why.empty()) return GatewayInvalid(gateway, absl::StrFormat("is %s", why));
  if (vlan.routed_subnets.empty()) {
    return GatewayInvalid(gateway, "needs routed_subnets: it is for them only, never the default route");
  }
  return absl::OkStatus();
}

std::string WhyNoRoute(const StorageVlan& vlan, const IpPrefix& subnet) {
  if (subnet.length < 0 || subnet.length > subnet.address.bits()) return "has no length";
  if (subnet.length == 0) return "is the default route, which no storage gets";
  if (subnet.address.v6 != vlan.address.address.v6) {
    return absl::StrFormat("is of another family than %s", vlan.address.ToString());
  }
  if (subnet != subnet.Subnet()) {
    return absl::StrFormat("is a host in its subnet; the subnet is %s", subnet.Subnet().ToString());
  }
  if (std::string why = WhyNoHost(subnet.address); !why.empty()) return absl::StrFormat("is %s", why);
  if (subnet == vlan.address.Subnet()) return "is the VLAN's own subnet";
  if (std::count(vlan.routed_subnets.begin(), vlan.routed_subnets.end(), subnet) > 1) return "is there twice";
  return "";
}

absl::Status CheckRoutes(const StorageVlan& vlan) {
  if (vlan.routed_subnets.empty()) return absl::OkStatus();
  if (vlan.routed_subnets.size() > kMostRoutes) {
    return RouteInvalid(absl::StrFormat("%d", vlan.routed_subnets.size()),
                        absl::StrFormat("subnets are more than %d", kMostRoutes));
  }
  if (!vlan.gateway) return RouteInvalid(vlan.routed_subnets.front().ToString(), "needs a gateway");
  for (const IpPrefix& subnet : vlan.routed_subnets) {
    if (std::string why = WhyNoRoute(vlan, subnet); !why.empty()) return RouteInvalid(subnet.ToString(), why);
  }
  return absl::OkStatus();
}

bool IsMtu(const StorageVlan& vlan) { return vlan.mtu == 0 || (vlan.mtu >= LeastMtu(vlan) && vlan.mtu <= kMostMtu); }

}  // namespace

std::string StorageVlan::LinkName() const { return absl::StrFormat("%s.%d", base, tag); }

std::vector<IpPrefix> StorageVlan::ReachableSubnets() const {
  std::vector<IpPrefix> subnets = routed_subnets;
  subnets.push_back(address.Subnet());
  std::sort(subnets.begin(), subnets.end());
  return subnets;
}

std::string StorageVlan::ToString() const {
  std::string text = absl::StrFormat("%s %s", LinkName(), address.ToString());
  if (mtu != 0) absl::StrAppendFormat(&text, " mtu %d", mtu);
  if (gateway) {
    absl::StrAppendFormat(
        &text, " via %s to %s", gateway->ToString(),
        absl::StrJoin(routed_subnets, ",", [](std::string* out, const IpPrefix& subnet) { out->append(subnet.ToString()); }));
  }
  if (isolated) text += " isolated";
  return text;
}

uint32_t LeastMtu(const StorageVlan& vlan) { return vlan.address.address.v6 ? 1280 : 68; }

absl::Status CheckStorageVlan(const StorageVlan& vlan) {
  if (!IsStorageId(vlan.storage_id) || vlan.storage_id.size() > kLongestStorageId) return StorageIdInvalid(vlan.storage_id);
  if (absl::Status status = CheckBase(vlan); !status.ok()) return status;
  if (vlan.tag < 1 || vlan.tag > 4094) return TagInvalid(vlan.tag);
  if (vlan.LinkName().size() > kLongestLinkName) return LinkNameTooLong(vlan);
  if (absl::Status status = CheckAddress(vlan.address); !status.ok()) return status;
  if (!IsMtu(vlan)) return MtuInvalid(vlan);
  if (absl::Status status = CheckGateway(vlan); !status.ok()) return status;
  return CheckRoutes(vlan);
}

}  // namespace pvebus::storage
