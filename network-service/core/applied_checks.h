#pragma once

#include <string>
#include <vector>

#include "network-service/core/config_change.h"
#include "network-service/core/interface.h"
#include "sdk/base/network.h"

namespace pvebus::network {

// Where the kernel is not what a configuration says.
struct AppliedFinding {
  std::string interface;
  std::string message;       // "vmbr0: eno1 is not a port of it"; valid UTF-8
  std::string missing_card;  // a network card that is not in the node, which explains it; empty: none
  bool known_limit = false;  // ifupdown2 leaves it like that, with a message or without

  bool operator==(const AppliedFinding&) const = default;
};

// What of the enabled interfaces the kernel has otherwise, by name. Looked at: whether the link is there, of its kind, and up;
// the ports of a bridge and whether it is VLAN-aware; the slaves of a bond; the parent and tag of a VLAN; static addresses; the
// mtu. Not judged: what a lease or a router decides (dhcp, auto), ppp, what Open vSwitch keeps (of its bridges and internal
// ports only the link and its addresses are), ports given as patterns, addresses of ports and slaves (they get none), the mtu of
// slaves (they have their bond's), and whether what has `link-down yes` is up. Other ports of a bridge, as those of guests, and
// other addresses are nobody's fault. A message is the same as long as its cause is. Any thread.
//
// Known limits of ifupdown2: a bond without slaves that is missing, a VLAN's mtu above that of its parent, a VLAN's parent
// that may have another name in the kernel, a card that is down and that nothing uses.
std::vector<AppliedFinding> FindDifferences(const Interfaces& interfaces, const NetworkSnapshot& kernel);

// What a reload to `after` has left behind of what was enabled before: links that should be gone (bridges, bonds, VLANs, VXLANs
// that no other interface needs), ports and slaves that still are, addresses that should be gone. Any thread.
//
// Known limits of ifupdown2: a bridge with ports of guests, ports that are such, and addresses of an interface that has
// several stanzas (inet and inet6).
std::vector<AppliedFinding> FindRemains(const std::vector<ConfigChange>& changes, const Interfaces& after,
                                        const NetworkSnapshot& kernel);

// What came of a reload. By interface.
struct ReloadVerdict {
  std::vector<AppliedFinding> failures;
  std::vector<AppliedFinding> warnings;
};

// A failure is a finding about an interface that was to be changed, or about any other that was there before without it. All
// else are warnings, and so are known limits, and what a card explains that was not there before either. So is that ports of
// guests were taken out of their bridge: an undo does not bring them back. Any thread.
ReloadVerdict JudgeReload(const Interfaces& before, const Interfaces& after, const std::vector<ConfigChange>& changes,
                          const NetworkSnapshot& kernel_before, const NetworkSnapshot& kernel_after);

}  // namespace pvebus::network
