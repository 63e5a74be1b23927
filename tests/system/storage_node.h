#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pvebus/storage/v1/storage_service.grpc.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"
#include "tests/system/shell.h"

namespace pvebus::testing {

// A node with a bus and storage-service, both real, in the network namespace of the test. One thread.
class StorageNode {
 public:
  using Stub = storage::v1::StorageService::Stub;

  // `config`: the text of storage.cfg. `flags`: further ones of storage-service.
  explicit StorageNode(std::string_view config, std::vector<std::string> flags = {});

  BusProcess& bus() { return bus_; }
  Process& service() { return *service_; }
  Stub& storage() { return *storage_; }
  const std::string& storage_address() const { return address_; }

  void WriteConfig(std::string_view text);
  // Starts (again) and waits until it is on the bus.
  void Start();
  void Kill();

  // The pvebus command against this node: its exit code; output in `out`.
  int Pvebus(std::vector<std::string> arguments, std::string* out = nullptr);

  absl::StatusOr<storage::v1::StorageVlanReport> CreateVlan(const storage::v1::StorageVlan& vlan);
  absl::StatusOr<storage::v1::StorageVlanReport> DeleteVlan(const std::string& storage_id);
  storage::v1::StorageVlanStatus VlanOf(const std::string& storage_id);
  storage::v1::Storage StatusOf(const std::string& storage_id);
  // Events of this kind about this storage, in the journal.
  int CountEvents(const std::string& filter);

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> flags_;
  BusProcess bus_;
  std::unique_ptr<Process> service_;
  std::string address_;
  std::unique_ptr<Stub> storage_;
};

// vmbr0 100 10.1.0.5/24
storage::v1::StorageVlan VlanOn(const std::string& storage_id, const std::string& base, uint32_t tag, const std::string& address);
// An update of each target.
event::v1::SystemEvent NetworkAppliedTo(const std::vector<std::string>& targets);
// The rows of one hook, its own first.
std::vector<bus::v1::HookResult> RowsOf(const bus::v1::PublishResult& result, const std::string& hook);
// The row of one hook about `resource`; an empty one when there is none.
bus::v1::HookResult RowAbout(const bus::v1::PublishResult& result, const std::string& hook, const std::string& resource);

}  // namespace pvebus::testing
