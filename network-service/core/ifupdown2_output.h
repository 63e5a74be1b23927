#pragma once

#include <string>
#include <vector>

#include "network-service/core/apply.h"

namespace pvebus::network {

// Whether ifupdown2's syntax check found what makes a reload fail. Its exit status does not tell: it is 1 also for a bridge that
// has an mtu or `bridge-ports none`, as Proxmox VE writes it, and a reload does what they say. Pure.
bool RefusesConfiguration(const ProgramReport& syntax_check);

// The lines in which ifupdown2 warns or complains, each once, in their order; a reload that ends with 0 may have some, of a
// command that failed, or of a value it did not take. At most 100. Valid UTF-8, at most 400 bytes each. Pure.
std::vector<std::string> ComplaintsIn(const ProgramReport& report);

}  // namespace pvebus::network
