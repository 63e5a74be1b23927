#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pvebus/container/v1/container_service.grpc.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"
#include "tests/system/network_namespace.h"
#include "tests/system/shell.h"

namespace pvebus::testing {

// A node with a bus and container-service, both real, in the network namespace of the test. One thread.
class ContainerNode {
 public:
  using Stub = container::v1::ContainerService::Stub;

  // `flags`: further ones of container-service.
  explicit ContainerNode(std::vector<std::string> flags = {}, const std::vector<std::string>& bus_flags = {});

  BusProcess& bus() { return *bus_; }
  Process& service() { return *service_; }
  Stub& container() { return *container_; }
  std::string Folder(const std::string& name) const { return directory_.path() + "/" + name; }

  void WriteContainer(uint32_t id, std::string_view text);
  // An executable /bin/sh script in the hooks directory.
  void WriteProgram(const std::string& name, std::string_view script);

  // Starts (again) and waits until it is on the bus.
  void Start();
  void Kill();

  // The pvebus command against this node: its exit code; output in `out`.
  int Pvebus(std::vector<std::string> arguments, std::string* out = nullptr);
  std::string PvebusProgram() const;

  // Events of the journal in their order: the starts ("container_started"), or the custom events of that name.
  std::vector<event::v1::SystemEvent> Events(const std::string& name);
  // Waits until there are so many.
  void AwaitEvents(const std::string& name, size_t count);
  // The row of container-network-hooks, once the publish is settled.
  bus::v1::ListenerResult SettledRow(const std::string& event_id);

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> flags_;
  std::unique_ptr<BusProcess> bus_;
  std::unique_ptr<Process> service_;
  std::string address_;
  std::unique_ptr<Stub> container_;
};

}  // namespace pvebus::testing
