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
  std::string message;  // "vmbr0: eno1 is not a port of it"; valid UTF-8

  bool operator==(const AppliedFinding&) const = default;
};

// What of the enabled interfaces the kernel has otherwise, by name. Looked at: whether the link is there, of its kind, and up;
// the ports of a bridge and whether it is VLAN-aware; the slaves of a bond; the parent and tag of a VLAN; static addresses; the
// mtu. What a lease or a router decides (dhcp, auto), what Open vSwitch keeps, ports given as patterns, and an interface with
// `link-down yes` (whether it is up), are not judged. Any thread.
std::vector<AppliedFinding> FindDifferences(const Interfaces& interfaces, const NetworkSnapshot& kernel);

// What a reload has left behind of the old configuration: links that should be gone (not network cards), ports and slaves that
// still are, addresses that should be gone.
std::vector<AppliedFinding> FindRemains(const std::vector<ConfigChange>& changes, const NetworkSnapshot& kernel);

// What came of a reload.
struct ReloadVerdict {
  std::vector<AppliedFinding> failures;  // of what changed, and what was in order before and is not any more
  std::vector<AppliedFinding> warnings;  // was so before, and nothing about it was to be changed
};
ReloadVerdict JudgeReload(const Interfaces& before, const Interfaces& after, const std::vector<ConfigChange>& changes,
                          const NetworkSnapshot& kernel_before, const NetworkSnapshot& kernel_after);

}  // namespace pvebus::network
