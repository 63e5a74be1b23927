#pragma once

#include <optional>
#include <string>

#include "storage-service/core/kernel_network.h"

namespace pvebus::storage {

// The kernel's network over rtnetlink. Owned by main. Any thread: each call has a socket of its own, and so means the network
// namespace of the thread that makes it.
class NetlinkNetwork final : public KernelNetwork {
 public:
  absl::StatusOr<NetworkSnapshot> Read() override;
  absl::StatusOr<std::optional<FoundRoute>> Lookup(const IpAddress& destination) override;

  absl::Status CreateVlan(const std::string& base, const std::string& name, uint16_t tag) override;
  absl::Status DeleteLink(const std::string& name) override;
  absl::Status SetMtu(const std::string& name, uint32_t mtu_bytes) override;
  absl::Status SetUp(const std::string& name, bool up) override;
  absl::Status AddAddress(const std::string& name, const IpPrefix& address) override;
  absl::Status RemoveAddress(const std::string& name, const IpPrefix& address) override;
  absl::Status AddRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) override;
  absl::Status RemoveRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) override;
  absl::Status AddBridgeVid(const std::string& bridge, uint16_t tag) override;
  absl::Status RemoveBridgeVid(const std::string& bridge, uint16_t tag) override;
};

}  // namespace pvebus::storage
