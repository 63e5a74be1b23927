#pragma once

#include <string>

#include "network-service/core/interface.h"

namespace pvebus::network {

// Changes in words of an operator, the interface's name first: "vmbr0: ports eno1 -> bond0, VLAN-aware on". Valid UTF-8; of long
// values only the beginning. Any thread.
std::string DescribeCreated(const Interface& interface);
std::string DescribeDeleted(const Interface& interface);
// Requires: they are different, and of one name.
std::string DescribeUpdated(const Interface& before, const Interface& after);

// "bridge", "bond", "VLAN", "OVSBridge", ...
std::string TypeName(const Interface& interface);

}  // namespace pvebus::network
