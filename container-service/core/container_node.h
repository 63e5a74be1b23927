#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "container-service/core/container_config.h"
#include "sdk/base/network.h"
#include "sdk/base/sdn.h"

namespace pvebus::container {

// The node that the containers are on: its files and its kernel, read at the moment of each call. Any thread; calls block for
// files and the kernel.
class ContainerNode {
 public:
  virtual ~ContainerNode() = default;

  // INVALID_ARGUMENT ID_INVALID; NOT_FOUND CONTAINER_NOT_FOUND: no file of it is on this node; FAILED_PRECONDITION
  // CONTAINER_UNREADABLE. Where the SDN configuration cannot be read, a finding says so.
  virtual absl::StatusOr<ContainerConfig> ReadConfig(uint32_t container_id) const = 0;
  // Of the running SDN configuration. SDN_CONFIG_INVALID, SDN_CONFIG_UNREADABLE.
  virtual absl::StatusOr<Vnets> ReadVnets() const = 0;
  // UNAVAILABLE NETWORK_UNSETTLED, FAILED_PRECONDITION KERNEL_REFUSED.
  virtual absl::StatusOr<NetworkSnapshot> ReadNetwork() const = 0;
  // Whether LXC runs it.
  virtual bool IsRunning(uint32_t container_id) const = 0;
  // Of each running container a text that is another one with each start; none where the node has no such thing.
  virtual std::map<uint32_t, std::string> Cgroups() const = 0;
};

}  // namespace pvebus::container
