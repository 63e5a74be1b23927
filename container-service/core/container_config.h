#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "container-service/core/container_findings.h"
#include "container-service/core/host_devices.h"
#include "container-service/core/network_interface.h"
#include "sdk/base/sdn.h"

namespace pvebus::container {

// A line of the container's configuration that Proxmox VE hands to LXC as it is.
struct RawLxcLine {
  std::string key;
  std::string value;

  bool operator==(const RawLxcLine&) const = default;
};

// A container as Proxmox VE 8 understands its file: the values that are in force. What concerns the network is valid, or it is
// not here but in a finding; the other texts have the bytes of the file, which may be no UTF-8.
struct ContainerConfig {
  std::optional<uint32_t> container_id;
  std::map<unsigned, NetworkInterface> interfaces;  // by N of netN
  std::map<unsigned, HostDevices> host_devices;     // of each interface; none without container_id
  std::optional<std::string> hostname;
  std::vector<std::string> nameservers;
  std::vector<std::string> search_domains;
  std::map<std::string, std::string> options;  // the others
  std::optional<std::string> description;      // its lines with '\n' between
  std::optional<std::string> hookscript;
  std::optional<std::string> lock;
  std::optional<std::string> parent;  // the snapshot that the current values come from
  std::vector<RawLxcLine> raw_lxc;    // in the order of the file
  std::vector<std::string> pending;   // keys that a pending change sets or deletes
  std::vector<std::string> snapshots;
  std::vector<ContainerFinding> findings;  // by line; at most kMostFindings and one that counts the rest
};

// Understands the text of /etc/pve/lxc/<vmid>.conf. Takes any bytes, in time and memory proportional to their number. `vnets`
// decides which names of bridges are those of vnets. Pure; any thread.
ContainerConfig ParseContainerConfig(std::string_view text, std::optional<uint32_t> container_id, const Vnets& vnets);

// Of "101.conf", with or without folders before it; nothing when that is no name of a container file. 100..999999999.
std::optional<uint32_t> ContainerIdOf(std::string_view file_name);

}  // namespace pvebus::container
