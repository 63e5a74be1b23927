#pragma once

#include "network-service/core/diagnostic.h"
#include "network-service/core/interfaces_reader.h"

namespace pvebus::network {

// Whether the interfaces of a configuration fit together. An error is what the kernel or ifupdown2 cannot do, or what Proxmox VE
// itself refuses; a warning is what works, or may, but is hardly meant. What is not enabled is not brought up, so that its
// conflicts with others are only warnings. By interface. Any thread.
//
//   a port or slave of two interfaces                                  error
//   a VLAN's tag that is not 1..4094, a VXLAN's id not 1..16777215     error
//   the same VLAN of the same parent twice                             error
//   two default gateways of one family, VRF and metric                 error
//   interfaces that need each other in a circle                        error
//   a port, slave or parent bond<N> or vmbr<N> that is not defined     error: only the configuration could make it
//   any other one that is not defined                                  warning: it may be a network card
//   a VLAN whose mtu is above that of its parent, both said            error
//   another mtu above that of the lower interface                      warning
//   an address, or DHCP, on a port or slave                            warning: it cannot be reached there
//   a bond without slaves                                              warning
void CheckInterfaces(const NetworkConfiguration& configuration, Diagnostics& diagnostics);

}  // namespace pvebus::network
