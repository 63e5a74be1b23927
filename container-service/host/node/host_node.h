#pragma once

#include <map>
#include <string>

#include "container-service/core/container_node.h"

namespace pvebus::container {

struct HostNodePaths {
  std::string lxc_directory = "/etc/pve/lxc";           // of VMID.conf
  std::string sdn_directory = "/etc/pve/sdn";           // of .running-config
  std::string cgroup_directory = "/sys/fs/cgroup/lxc";  // Proxmox VE gives each container a folder in it while it runs
  std::string unix_sockets = "/proc/net/unix";          // where LXC's command sockets show
};

// This machine. Owned by main. Any thread; the network is that of the calling thread's namespace.
class HostNode final : public ContainerNode {
 public:
  explicit HostNode(HostNodePaths paths) : paths_(std::move(paths)) {}

  absl::StatusOr<ContainerConfig> ReadConfig(uint32_t container_id) const override;
  absl::StatusOr<Vnets> ReadVnets() const override;
  absl::StatusOr<NetworkSnapshot> ReadNetwork() const override;
  bool IsRunning(uint32_t container_id) const override;
  std::map<uint32_t, std::string> Cgroups() const override;

 private:
  const HostNodePaths paths_;
};

}  // namespace pvebus::container
