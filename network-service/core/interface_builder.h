#pragma once

#include <vector>

#include "network-service/core/diagnostic.h"
#include "network-service/core/interface.h"
#include "network-service/core/stanza.h"

namespace pvebus::network {

// Merges the stanzas of one name into the interface that they define together, and says what is wrong in them; what is wrong is
// left out. Which type it is: lo Loopback; bridge-ports a Bridge; ovs-type Ovs; bond<N> or bond-slaves a Bond; vxlan-id a Vxlan;
// <parent>.<tag> or vlan-raw-device a Vlan; else Physical. Requires: at least one stanza, all of one name. Any thread.
Interface BuildInterface(const std::vector<Stanza>& stanzas, Diagnostics& diagnostics);

}  // namespace pvebus::network
