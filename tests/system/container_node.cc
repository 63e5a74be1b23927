#include "tests/system/container_node.h"

#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace pvebus::testing {
namespace {

// A kernel in user mode takes its time.
constexpr std::chrono::seconds kPatience{60};
constexpr char kListener[] = "container-network-hooks";

}  // namespace

ContainerNode::ContainerNode(std::vector<std::string> flags, const std::vector<std::string>& bus_flags)
    : flags_(std::move(flags)) {
  for (const char* folder : {"lxc", "sdn", "hooks", "cgroup"}) std::filesystem::create_directory(Folder(folder));
  bus_ = std::make_unique<BusProcess>(bus_flags);
  Start();
}

void ContainerNode::WriteContainer(uint32_t id, std::string_view text) {
  std::ofstream(Folder("lxc") + "/" + std::to_string(id) + ".conf") << text;
}

void ContainerNode::WriteProgram(const std::string& name, std::string_view script) {
  const std::string path = Folder("hooks") + "/" + name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  // What is open for writing cannot be executed: another thread of this process may be starting a program right now.
  std::ofstream(path + ".new") << "#!/bin/sh\n" << script;
  EXPECT_EQ(chmod((path + ".new").c_str(), 0755), 0);
  EXPECT_EQ(rename((path + ".new").c_str(), path.c_str()), 0);
}

void ContainerNode::Start() {
  std::vector<std::string> command = {ProgramPath("container-service"),
                                      "--bus",
                                      bus_->address(),
                                      "--listen",
                                      "127.0.0.1:0",
                                      "--node",
                                      "node1",
                                      "--data-dir",
                                      Folder("data"),
                                      "--lxc-dir",
                                      Folder("lxc"),
                                      "--sdn-dir",
                                      Folder("sdn"),
                                      "--hooks-dir",
                                      Folder("hooks")};
  command.insert(command.end(), flags_.begin(), flags_.end());
  service_ = std::make_unique<Process>(std::move(command));
  const auto address = service_->WaitForLine("listening on ", kPatience);
  ASSERT_TRUE(address.ok()) << address.status();
  address_ = *address;
  container_ = container::v1::ContainerService::NewStub(SeparateChannel(address_));
  WaitFor(
      "container-network-hooks to be connected", [&] { return bus_->HasState(kListener, bus::v1::LISTENER_STATE_CONNECTED); },
      kPatience);
}

void ContainerNode::Kill() {
  service_->Signal(SIGKILL);
  service_->WaitExit(kPatience);
  WaitFor(
      "container-network-hooks to be gone", [&] { return bus_->HasState(kListener, bus::v1::LISTENER_STATE_DISCONNECTED); },
      kPatience);
}

std::string ContainerNode::PvebusProgram() const { return ProgramPath("pvebus"); }

int ContainerNode::Pvebus(std::vector<std::string> arguments, std::string* out) {
  arguments.insert(arguments.begin(), PvebusProgram());
  setenv("PVEBUS_BUS", bus_->address().c_str(), 1);
  setenv("PVEBUS_CONTAINER", address_.c_str(), 1);
  Process process(std::move(arguments));
  const int code = process.WaitExit(kPatience).value_or(-1);
  if (out != nullptr) *out = process.StandardOutput() + process.StandardError();
  return code;
}

std::vector<event::v1::SystemEvent> ContainerNode::Events(const std::string& name) {
  const bool starts = name == "container_started";
  bus::v1::ListEventsRequest request;
  request.set_filter(starts ? "event_type = container_started" : "event_type = custom");
  request.set_page_size(1000);
  const auto response = Call(&bus::v1::JournalService::Stub::ListEvents, bus_->journal(), request, kPatience);
  EXPECT_TRUE(response.ok()) << response.status();
  std::vector<event::v1::SystemEvent> events;
  if (!response.ok()) return events;
  for (const auto& event : response->events()) {
    if (starts || event.custom().name() == name) events.push_back(event);
  }
  return events;
}

void ContainerNode::AwaitEvents(const std::string& name, size_t count) {
  WaitFor(
      std::to_string(count) + " events " + name, [&] { return Events(name).size() >= count; }, kPatience);
}

bus::v1::ListenerResult ContainerNode::SettledRow(const std::string& event_id) {
  bus::v1::ListenerResult row;
  WaitFor(
      event_id + " to be settled",
      [&] {
        row = RowOf(bus_->Result(event_id), kListener);
        return row.state() == bus::v1::DELIVERY_STATE_SUCCEEDED;
      },
      kPatience);
  return row;
}

}  // namespace pvebus::testing
