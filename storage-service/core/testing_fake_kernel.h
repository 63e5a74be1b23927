#pragma once

#include <map>
#include <string>
#include <vector>

#include "sdk/base/mutex.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/testing_faults.h"

namespace pvebus::storage {

// The kernel's network in memory. It does what the kernel does unasked: what stands on a link goes with it, a link that goes down
// loses its routes and takes its VLANs down, one that comes up takes them up. Calls of the interfaces: any thread, but for
// faults; all else: one.
class FakeKernel final : public KernelNetwork, public LinkIsolation {
 public:
  FakeKernel() = default;
  // Requires: outlives this.
  explicit FakeKernel(Faults& faults) : faults_(&faults) {}

  // Others at work, whatever the faults. Null when there is none.
  Link& Add(Link link);
  Link* Find(const std::string& name);
  void Delete(const std::string& name);
  void BringUp(const std::string& name, bool up);
  void Route(const LinkRoute& route) { network_.routes.push_back(route); }

  // All there is, without the indexes: two kernels with equal texts are equal.
  std::string Text() const;
  int reads() const { return reads_; }

  absl::StatusOr<NetworkSnapshot> Read() override;
  absl::StatusOr<std::optional<FoundRoute>> Lookup(const IpAddress&) override { return std::optional<FoundRoute>(); }
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

  absl::StatusOr<std::optional<std::vector<IpPrefix>>> Read(const std::string& link) override;
  absl::Status Isolate(const std::string& link, const std::vector<IpPrefix>& subnets) override;
  absl::Status Release(const std::string& link) override;

 private:
  // With the link, unless the faults have other plans.
  template <typename Change>
  absl::Status With(const std::string& name, Change change);
  absl::Status SetLinkUp(Link& link, bool up);

  Faults no_faults_;
  Faults* const faults_ = &no_faults_;
  Mutex mu_;  // held in calls of the interfaces
  NetworkSnapshot network_;
  std::map<std::string, std::vector<IpPrefix>> isolated_;
  int last_index_ = 0;
  int reads_ = 0;
};

}  // namespace pvebus::storage
