#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/storage_state.h"
#include "storage-service/host/probe/mount_table.h"
#include "storage-service/host/probe/tcp_prober.h"

namespace pvebus::storage {

// Measures the storages of this node: their servers over TCP, their way in the kernel's network, their mounts and iSCSI sessions.
// Never touches what is mounted. Owned by main. Any thread.
class MeasuredStorages final : public StorageProbe {
 public:
  struct Paths {
    std::string mount_info = "/proc/self/mountinfo";
    std::string sys = "/sys";
  };
  // Requires: all of them outlive it.
  MeasuredStorages(const TcpProber& prober, KernelNetwork& network, Paths paths, const Clock& clock);

  std::vector<Measurement> Measure(const std::vector<Storage>& storages, std::stop_token stop) override;

 private:
  // What is read once for all storages.
  struct Node {
    absl::StatusOr<NetworkSnapshot> network;
    absl::StatusOr<std::vector<Mount>> mounts;
    absl::StatusOr<std::set<std::string>> sessions;
  };
  Node ReadNode();
  void AddMount(const Storage& storage, const Node& node, Measurement& measurement) const;
  void AddSession(const Storage& storage, const Node& node, Measurement& measurement) const;
  EndpointStatus StatusOf(const Endpoint& endpoint, ProbeResult result, const Node& node);
  void AddWay(const Node& node, EndpointStatus& status);

  const TcpProber& prober_;
  KernelNetwork& network_;
  const Paths paths_;
  const Clock& clock_;
};

}  // namespace pvebus::storage
