#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pvebus/network/v1/network_service.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"
#include "tests/system/ifupdown2.h"
#include "tests/system/shell.h"

namespace pvebus::testing {

// A node with a bus, network-service and ifupdown2, all real, and the network cards eno1, eno2 and eno3, in a User Mode Linux of
// its own; other services as a test wants. Its networks go with it. One thread.
class NetworkNode {
 public:
  // A command of pvebus.
  struct Ended {
    int exit_code = -1;
    std::string out;    // standard output
    std::string error;  // standard error
  };

  // `interfaces`: what is configured, and not yet in force. Requires: it outlives this.
  NetworkNode(const Ifupdown2& ifupdown2, std::string_view interfaces);
  ~NetworkNode();
  NetworkNode(const NetworkNode&) = delete;
  NetworkNode& operator=(const NetworkNode&) = delete;

  BusProcess& bus() { return bus_; }
  std::string Folder(const std::string& name) const { return directory_.path() + "/" + name; }

  // Starts (again) and waits until it serves.
  void Start();
  void Kill();
  // "storage" with this storage.cfg, "container", "migration".
  void AddStorageService(std::string_view storage_config);
  void AddContainerService();
  void AddMigrationService();

  // A file of /etc/network; Read: "(none)" when there is none.
  void Write(const std::string& name, std::string_view text) const;
  std::string Read(const std::string& name) const;
  void Stage(std::string_view interfaces) const { Write("interfaces.new", interfaces); }

  // The pvebus command against this node.
  Ended Pvebus(std::vector<std::string> arguments);
  std::unique_ptr<Process> PvebusLater(std::vector<std::string> arguments);
  // Applies what is staged, which must work.
  network::v1::Apply ApplyStaged(std::vector<std::string> options = {});
  // The newest, with all there is of it.
  network::v1::Apply LastApply();
  // Waits until the newest apply has this state, and all listeners have answered its events.
  network::v1::Apply AwaitApply(network::v1::ApplyState state);

  // Events of the journal in their order: NetworkApplied, or network_apply_failed.
  std::vector<event::v1::SystemEvent> NetworkEvents();
  std::vector<event::v1::SystemEvent> FailureEvents();

 private:
  void AddService(const std::string& name, const std::string& listener, std::vector<std::string> flags);
  std::vector<event::v1::SystemEvent> Events(const std::string& filter);

  const Ifupdown2& ifupdown2_;
  const TemporaryDirectory directory_;
  BusProcess bus_;
  std::map<std::string, std::unique_ptr<Process>> services_;
};

// "create bond0", one per change.
std::vector<std::string> Told(const google::protobuf::RepeatedPtrField<event::v1::ConfigChange>& changes);
// What `pvebus --output json` wrote.
network::v1::Apply ApplyOf(const std::string& json);

}  // namespace pvebus::testing
