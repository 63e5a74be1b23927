#include "storage-service/core/way.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_format.h"

namespace pvebus::storage {
namespace {

bool IsGuestPort(const Link& link) { return link.kind == "tun" || link.kind == "veth"; }

// Follows the links from a route's downwards, each of them once. One use.
class WayFinder {
 public:
  explicit WayFinder(const NetworkSnapshot& network) : network_(network) {}

  // Why the link, or what it stands on, cannot carry packets; empty when it can.
  std::string Descend(const Link& link) {
    seen_.insert(link.index);
    chain_.push_back(link.name);
    if (tag_ == 0) tag_ = link.tag;
    std::string below = DescendBelow(link);
    if (!link.up) return absl::StrFormat("link %s is down", link.name);
    return below;
  }

  const std::vector<std::string>& chain() const { return chain_; }
  uint16_t tag() const { return tag_; }

 private:
  std::string DescendBelow(const Link& link) {
    if (link.kind == "vlan") {
      const Link* parent = network_.Find(link.lower_index);
      return link.lower_index != 0 && parent ? DescendOnce(*parent) : Carrier(link);
    }
    if (link.kind == "bridge") return DescendAny(link, BridgePorts(link), "");
    if (link.kind == "bond") return DescendAny(link, Members(link), absl::StrFormat("bond %s has no slave", link.name));
    return Carrier(link);
  }

  static std::string Carrier(const Link& link) {
    return link.running ? "" : absl::StrFormat("link %s has no carrier", link.name);
  }

  // A link that was met already has been judged there.
  std::string DescendOnce(const Link& link) { return seen_.contains(link.index) ? "" : Descend(link); }

  // One of them is enough.
  std::string DescendAny(const Link& link, const std::vector<const Link*>& members, std::string why_not_without) {
    if (members.empty()) return why_not_without;
    bool carried = false;
    std::string first_why;
    for (const Link* member : members) {
      const std::string why = DescendOnce(*member);
      carried = carried || why.empty();
      if (first_why.empty()) first_why = why;
    }
    if (carried || members.size() == 1) return carried ? "" : first_why;
    return absl::StrFormat("no link below %s can carry packets: %s", link.name, first_why);
  }

  std::vector<const Link*> Members(const Link& master) const {
    std::vector<const Link*> members;
    for (const Link& link : network_.links) {
      if (link.master_index == master.index) members.push_back(&link);
    }
    return members;
  }

  std::vector<const Link*> BridgePorts(const Link& bridge) const {
    std::vector<const Link*> ports = Members(bridge);
    std::vector<const Link*> uplinks;
    std::copy_if(ports.begin(), ports.end(), std::back_inserter(uplinks), [](const Link* port) { return !IsGuestPort(*port); });
    return uplinks.empty() ? ports : uplinks;
  }

  const NetworkSnapshot& network_;
  std::set<int> seen_;
  std::vector<std::string> chain_;
  uint16_t tag_ = 0;
};

}  // namespace

Way WayOf(const NetworkSnapshot& network, const FoundRoute& route) {
  const Link* link = network.Find(route.link_index);
  if (!link) return {.gateway = route.gateway, .link_message = "the link of its route is gone"};
  WayFinder finder(network);
  std::string why = finder.Descend(*link);
  const bool up = why.empty();
  return {link->name, route.gateway, finder.tag(), finder.chain(), up, std::move(why)};
}

}  // namespace pvebus::storage
