#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "container-service/core/container_node.h"
#include "container-service/core/errors.h"
#include "container-service/core/testing/node_links.h"

namespace pvebus::container {

// A node whose files and links a test decides. One thread decides while nobody reads.
class FakeNode final : public ContainerNode {
 public:
  absl::StatusOr<ContainerConfig> ReadConfig(uint32_t container_id) const override {
    if (absl::Status status = CheckContainerId(container_id); !status.ok()) return status;
    const auto found = files.find(container_id);
    if (found == files.end()) return ContainerNotFound(container_id, "/etc/pve/lxc/" + std::to_string(container_id) + ".conf");
    return ParseContainerConfig(found->second, container_id, vnets);
  }
  absl::StatusOr<Vnets> ReadVnets() const override { return vnets; }
  absl::StatusOr<NetworkSnapshot> ReadNetwork() const override {
    if (on_read) on_read();
    if (!network_error.ok()) return network_error;
    return links.network;
  }
  bool IsRunning(uint32_t container_id) const override { return running.contains(container_id); }
  std::map<uint32_t, std::string> Cgroups() const override { return {}; }

  std::map<uint32_t, std::string> files;
  Vnets vnets;
  NodeLinks links;
  std::set<uint32_t> running;
  absl::Status network_error;
  std::function<void()> on_read;  // before the links are read
};

}  // namespace pvebus::container
