#include "tests/system/storage_node.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/system/hook_rows.h"

namespace pvebus::testing {
namespace {

using storage::v1::StorageService;

// A kernel in user mode takes its time.
constexpr std::chrono::seconds kPatience{60};

}  // namespace

StorageNode::StorageNode(std::string_view config, std::vector<std::string> flags) : flags_(std::move(flags)) {
  WriteConfig(config);
  Start();
}

void StorageNode::WriteConfig(std::string_view text) {
  const std::string path = directory_.path() + "/storage.cfg";
  std::ofstream(path + ".new") << text;
  EXPECT_EQ(rename((path + ".new").c_str(), path.c_str()), 0);
}

void StorageNode::Start() {
  std::vector<std::string> command = {ProgramPath("storage-service"),
                                      "--bus",
                                      bus_.address(),
                                      "--listen",
                                      "127.0.0.1:0",
                                      "--node",
                                      "node1",
                                      "--data-dir",
                                      directory_.path() + "/data",
                                      "--storage-config",
                                      directory_.path() + "/storage.cfg"};
  command.insert(command.end(), flags_.begin(), flags_.end());
  service_ = std::make_unique<Process>(std::move(command));
  const auto address = service_->WaitForLine("listening on ", kPatience);
  ASSERT_TRUE(address.ok()) << address.status();
  address_ = *address;
  storage_ = StorageService::NewStub(SeparateChannel(address_));
  WaitFor(
      "storage-hooks to be connected", [&] { return bus_.HasState("storage-hooks", bus::v1::LISTENER_STATE_CONNECTED); },
      kPatience);
}

void StorageNode::Kill() {
  service_->Signal(SIGKILL);
  service_->WaitExit(kPatience);
  WaitFor(
      "storage-hooks to be gone", [&] { return bus_.HasState("storage-hooks", bus::v1::LISTENER_STATE_DISCONNECTED); },
      kPatience);
}

int StorageNode::Pvebus(std::vector<std::string> arguments, std::string* out) {
  arguments.insert(arguments.begin(), ProgramPath("pvebus"));
  setenv("PVEBUS_BUS", bus_.address().c_str(), 1);
  setenv("PVEBUS_STORAGE", address_.c_str(), 1);
  Process process(std::move(arguments));
  const int code = process.WaitExit(kPatience).value_or(-1);
  if (out != nullptr) *out = process.StandardOutput() + process.StandardError();
  return code;
}

absl::StatusOr<storage::v1::StorageVlanReport> StorageNode::CreateVlan(const storage::v1::StorageVlan& vlan) {
  storage::v1::CreateStorageVlanRequest request;
  *request.mutable_vlan() = vlan;
  const auto response = Call(&Stub::CreateStorageVlan, *storage_, request, kPatience);
  if (!response.ok()) return response.status();
  return response->report();
}

absl::StatusOr<storage::v1::StorageVlanReport> StorageNode::DeleteVlan(const std::string& storage_id) {
  storage::v1::DeleteStorageVlanRequest request;
  request.set_storage_id(storage_id);
  const auto response = Call(&Stub::DeleteStorageVlan, *storage_, request, kPatience);
  if (!response.ok()) return response.status();
  return response->report();
}

storage::v1::StorageVlanStatus StorageNode::VlanOf(const std::string& storage_id) {
  const auto response = Call(&Stub::ListStorageVlans, *storage_, {}, kPatience);
  EXPECT_TRUE(response.ok()) << response.status();
  if (!response.ok()) return {};
  for (const auto& vlan : response->vlans()) {
    if (vlan.vlan().storage_id() == storage_id) return vlan;
  }
  return {};
}

storage::v1::Storage StorageNode::StatusOf(const std::string& storage_id) {
  storage::v1::GetStorageStatusRequest request;
  request.set_storage_id(storage_id);
  const auto response = Call(&Stub::GetStorageStatus, *storage_, request, kPatience);
  return response.ok() ? response->storage() : storage::v1::Storage();
}

int StorageNode::CountEvents(const std::string& filter) {
  bus::v1::ListEventsRequest request;
  request.set_filter(filter);
  const auto response = Call(&bus::v1::JournalService::Stub::ListEvents, bus_.journal(), request, kPatience);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->events_size() : -1;
}

storage::v1::StorageVlan VlanOn(const std::string& storage_id, const std::string& base, uint32_t tag,
                                const std::string& address) {
  storage::v1::StorageVlan vlan;
  vlan.set_storage_id(storage_id);
  vlan.set_base(base);
  vlan.set_tag(tag);
  vlan.set_address(address);
  return vlan;
}

event::v1::SystemEvent NetworkAppliedTo(const std::vector<std::string>& targets) {
  event::v1::SystemEvent event;
  for (const std::string& target : targets) {
    auto& change = *event.mutable_network_applied()->add_changes();
    change.set_change_type(event::v1::CHANGE_TYPE_UPDATE);
    change.set_target(target);
  }
  return event;
}

std::vector<bus::v1::HookResult> RowsOf(const bus::v1::PublishResult& result, const std::string& hook) {
  return HookRowsOf(RowOf(result, "storage-hooks"), hook);
}

bus::v1::HookResult RowAbout(const bus::v1::PublishResult& result, const std::string& hook, const std::string& resource) {
  for (const auto& row : RowsOf(result, hook)) {
    if (row.resource() == resource) return row;
  }
  return {};
}

}  // namespace pvebus::testing
