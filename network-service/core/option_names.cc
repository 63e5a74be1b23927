#include "network-service/core/option_names.h"

#include <algorithm>
#include <array>

#include "sdk/base/nearest.h"

namespace pvebus::network {
namespace {

constexpr std::array<std::string_view, 7> kBondModes = {"balance-rr", "active-backup", "balance-xor", "broadcast",
                                                        "802.3ad",    "balance-tlb",   "balance-alb"};
constexpr std::array<std::string_view, 12> kRepeatable = {"up",
                                                          "down",
                                                          "pre-up",
                                                          "post-up",
                                                          "pre-down",
                                                          "post-down",
                                                          "vxlan-remoteip",
                                                          "vxlan-remoteip-map",
                                                          "ovs-extra",
                                                          "address-virtual",
                                                          "bridge-vlan-vni-map",
                                                          "dns-nameservers"};
constexpr std::array<std::string_view, 5> kForeignKeywords = {"mapping", "no-auto-down", "no-scripts", "rename", "template"};
// Longer words are nobody's slip of the keyboard.
constexpr size_t kLongestSlip = 20;

template <typename List>
bool Has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

std::string CanonicalOptionName(std::string_view name) {
  std::string canonical(name);
  std::replace(canonical.begin(), canonical.end(), '_', '-');
  return canonical == "slaves" ? "bond-slaves" : canonical;
}

bool IsRepeatable(std::string_view canonical_name) { return Has(kRepeatable, canonical_name); }

const std::vector<std::string>& KnownOptions() {
  static const auto& options = *[] {
    auto* names = new std::vector<std::string>{
        // interfaces(5)
        "address", "netmask", "broadcast", "gateway", "metric", "pointopoint", "hwaddress", "mtu", "scope", "network", "up",
        "down", "pre-up", "post-up", "pre-down", "post-down", "accept-ra", "autoconf", "privext", "dad-attempts", "dad-interval",
        "preferred-lifetime", "request-prefix", "dhcp", "hostname", "client", "vendor", "leasetime", "leasehours", "label",
        "mode", "local", "endpoint", "ttl", "provider", "unit", "options", "dns-nameservers", "dns-nameserver", "dns-search",
        "dns-domain",
        // bridges
        "bridge-ports", "bridge-stp", "bridge-fd", "bridge-hello", "bridge-maxage", "bridge-ageing", "bridge-bridgeprio",
        "bridge-pathcosts", "bridge-portprios", "bridge-maxwait", "bridge-waitport", "bridge-hw", "bridge-gcint", "bridge-access",
        "bridge-vids", "bridge-pvid", "bridge-allow-untagged", "bridge-vlan-aware", "bridge-vlan-protocol", "bridge-vlan-stats",
        "bridge-vlan-vni-map", "bridge-mcsnoop", "bridge-mcquerier", "bridge-mcqifaddr", "bridge-mcrouter", "bridge-mclmc",
        "bridge-mcstats", "bridge-mcqv4src", "bridge-hashmax", "bridge-hashel", "bridge-igmp-version", "bridge-mld-version",
        "bridge-learning", "bridge-unicast-flood", "bridge-multicast-flood", "bridge-broadcast-flood", "bridge-arp-nd-suppress",
        "bridge-portmcrouter", "bridge-portmcfl", "bridge-disable", "bridge-always-up", "bridge-port-vids", "bridge-port-pvids",
        "bridge-l2protocol-tunnel", "mstpctl-stp", "mstpctl-bpduguard", "mstpctl-portadminedge",
        // bonds
        "bond-slaves", "bond-mode", "bond-miimon", "bond-primary", "bond-primary-reselect", "bond-xmit-hash-policy",
        "bond-lacp-rate", "bond-min-links", "bond-ad-sys-priority", "bond-ad-actor-sys-prio", "bond-ad-actor-system",
        "bond-ad-sys-mac-addr", "bond-updelay", "bond-downdelay", "bond-arp-interval", "bond-arp-ip-target", "bond-arp-validate",
        "bond-fail-over-mac", "bond-num-grat-arp", "bond-num-unsol-na", "bond-use-carrier", "bond-master", "bond-give-a-chance",
        "bond-lacp-bypass-allow", "bond-lacp-fallback-allow",
        // VLANs, VXLANs
        "vlan-raw-device", "vlan-id", "vlan-protocol", "vlan-bridge-binding", "vxlan-id", "vxlan-local-tunnelip",
        "vxlan-remoteip", "vxlan-remoteip-map", "vxlan-svcnodeip", "vxlan-svcnodeip6", "vxlan-port", "vxlan-physdev",
        "vxlan-ageing", "vxlan-learning", "vxlan-mcastgrp", "vxlan-mcastgrp6", "vxlan-mcastgrp-map", "vxlan-ttl", "vxlan-tos",
        "vxlan-udp-csum", "vxlan-purge-remotes", "vxlan-vnifilter", "vxlan-vni",
        // Open vSwitch
        "ovs-type", "ovs-bridge", "ovs-ports", "ovs-bonds", "ovs-options", "ovs-extra", "ovs-mtu", "ovs-tunnel-type",
        "ovs-tunnel-options", "ovs-patch-peer",
        // the rest of ifupdown2
        "address-virtual", "address-virtual-ipv6-addrgen", "address-purge", "alias", "arp-accept", "clagd-vxlan-anycast-ip",
        "ethtool-ethtool-modes", "gro-offload", "gso-offload", "tso-offload", "ufo-offload", "lro-offload", "tx-offload",
        "rx-offload", "rx-vlan-filter", "hw-tc-offload", "ip-forward", "ip6-forward", "ipv6-addrgen", "ip-proxy-arp",
        "proxy-arp-pvlan", "isolated", "link-autoneg", "link-duplex", "link-fec", "link-speed", "link-type", "link-down",
        "mpls-enable", "multicast", "rp-filter", "speed", "duplex", "tunnel-mode", "tunnel-local", "tunnel-endpoint",
        "tunnel-remote", "tunnel-ttl", "tunnel-tos", "tunnel-physdev", "tunnel-dev", "vrf", "vrf-table", "vrf-default-route",
        "vrr", "vrrp", "dhcp6-duid", "dhcp-wait", "es-sys-mac", "evpn-es-id", "uplinkid", "dummy-id", "keepalived", "required",
        "ppp", "xfrm-id", "xfrm-physdev"};
    std::sort(names->begin(), names->end());
    return names;
  }();
  return options;
}

bool IsKnownOption(std::string_view canonical_name) {
  return std::binary_search(KnownOptions().begin(), KnownOptions().end(), canonical_name);
}

bool IsKeyword(std::string_view word) {
  return word == "auto" || word == "iface" || word == "source" || word == "source-directory" || word.starts_with("allow-");
}

bool IsForeignKeyword(std::string_view word) { return Has(kForeignKeywords, word); }

std::string KeywordMeantBy(std::string_view word) {
  static const auto& keywords =
      *new std::vector<std::string>{"auto", "allow-auto", "allow-hotplug", "iface", "source", "source-directory"};
  return word.size() > kLongestSlip ? "" : DidYouMean(word, keywords);
}

std::string CanonicalBondMode(std::string_view mode) {
  const bool number = mode.size() == 1 && mode[0] >= '0' && mode[0] <= '6';
  return std::string(number ? kBondModes[static_cast<size_t>(mode[0] - '0')] : mode);
}

bool IsBondMode(std::string_view canonical_mode) { return Has(kBondModes, canonical_mode); }

}  // namespace pvebus::network
