#include "tests/system/network_node.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace pvebus::testing {
namespace {

namespace fs = std::filesystem;

using network::v1::Apply;

// A kernel in user mode takes its time, and ifupdown2 is written in Python.
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::seconds kApplyPatience{120};
constexpr char kNetwork[] = "network";
constexpr char kEtcNetwork[] = "/etc/network/";

template <typename Message>
Message FromJson(const std::string& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  EXPECT_TRUE(status.ok()) << status.ToString() << "\n" << json;
  return message;
}

bool IsSettled(const Apply& apply) {
  return std::all_of(apply.publications().begin(), apply.publications().end(),
                     [](const auto& publication) { return publication.result().settled(); });
}

}  // namespace

NetworkNode::NetworkNode(const Ifupdown2& ifupdown2, std::string_view interfaces) : ifupdown2_(ifupdown2) {
  ifupdown2_.Reset();
  for (const char* card : {"eno1", "eno2", "eno3"}) Sh(absl::StrCat("ip link add ", card, " type dummy"));
  Write("interfaces", interfaces);
  Start();
}

NetworkNode::~NetworkNode() {
  services_.clear();
  ShSucceeds(
      "for link in $(ls /sys/class/net); do [ $link = lo ] || ip link delete $link; done; ip address flush dev lo scope global");
}

void NetworkNode::AddService(const std::string& name, const std::string& listener, std::vector<std::string> flags) {
  std::vector<std::string> command = {ProgramPath(name + "-service"),
                                      "--bus",
                                      bus_.address(),
                                      "--listen",
                                      "127.0.0.1:0",
                                      "--data-dir",
                                      Folder(name),
                                      "--node",
                                      "node1"};
  command.insert(command.end(), flags.begin(), flags.end());
  auto& service = services_[name];
  service = std::make_unique<Process>(std::move(command));
  const auto address = service->WaitForLine("listening on ", kPatience);
  ASSERT_TRUE(address.ok()) << address.status();
  setenv(("PVEBUS_" + absl::AsciiStrToUpper(name)).c_str(), address->c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  if (listener.empty()) return;
  WaitFor(
      listener + " to be connected", [&] { return bus_.HasState(listener, bus::v1::LISTENER_STATE_CONNECTED); }, kPatience);
}

void NetworkNode::Start() {
  AddService(kNetwork, "", {"--ifreload", ifupdown2_.Program("ifreload"), "--ifup", ifupdown2_.Program("ifup")});
}

void NetworkNode::Kill() {
  services_[kNetwork]->Signal(SIGKILL);
  EXPECT_EQ(services_[kNetwork]->WaitExit(kPatience), 128 + SIGKILL);
}

void NetworkNode::AddStorageService(std::string_view storage_config) {
  const std::string path = Folder("storage.cfg");
  std::ofstream(path) << storage_config;
  AddService("storage", "storage-hooks",
             {"--storage-config", path, "--refresh-interval", "0", "--probe-limit", "1", "--repair-delay", "600"});
}

void NetworkNode::AddContainerService() {
  for (const char* folder : {"lxc", "sdn", "hooks"}) fs::create_directory(Folder(folder));
  AddService("container", "container-network-hooks",
             {"--lxc-dir", Folder("lxc"), "--sdn-dir", Folder("sdn"), "--hooks-dir", Folder("hooks")});
}

void NetworkNode::AddMigrationService() { AddService("migration", "migration-hooks", {}); }

void NetworkNode::Write(const std::string& name, std::string_view text) const {
  const std::string path = kEtcNetwork + name;
  std::ofstream(path + "~") << text;
  EXPECT_EQ(rename((path + "~").c_str(), path.c_str()), 0);
}

std::string NetworkNode::Read(const std::string& name) const {
  const std::ifstream file(kEtcNetwork + name);
  if (!file) return "(none)";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::unique_ptr<Process> NetworkNode::PvebusLater(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ProgramPath("pvebus"));
  setenv("PVEBUS_BUS", bus_.address().c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  return std::make_unique<Process>(std::move(arguments));
}

NetworkNode::Ended NetworkNode::Pvebus(std::vector<std::string> arguments) {
  const auto process = PvebusLater(std::move(arguments));
  const int exit_code = process->WaitExit(kApplyPatience).value_or(-1);
  return {exit_code, process->StandardOutput(), process->StandardError()};
}

Apply NetworkNode::ApplyStaged(std::vector<std::string> options) {
  std::vector<std::string> command = {"network", "apply", "--output", "json"};
  command.insert(command.end(), options.begin(), options.end());
  const Ended ended = Pvebus(std::move(command));
  EXPECT_EQ(ended.exit_code, 0) << ended.out << ended.error;
  return ApplyOf(ended.out);
}

Apply NetworkNode::LastApply() {
  const Ended newest = Pvebus({"network", "history", "--count", "1", "--output", "json"});
  EXPECT_EQ(newest.exit_code, 0) << newest.error;
  const auto list = FromJson<network::v1::ListAppliesResponse>(newest.out);
  if (list.applies().empty()) return {};
  return ApplyOf(Pvebus({"network", "history", list.applies(0).apply_id(), "--output", "json"}).out);
}

Apply NetworkNode::AwaitApply(network::v1::ApplyState state) {
  Apply apply;
  WaitFor(
      "the last apply to be " + ApplyState_Name(state),
      [&] {
        apply = LastApply();
        return apply.state() == state && IsSettled(apply);
      },
      kApplyPatience);
  return apply;
}

std::vector<event::v1::SystemEvent> NetworkNode::Events(const std::string& filter) {
  bus::v1::ListEventsRequest request;
  request.set_filter(filter);
  request.set_page_size(1000);
  std::vector<event::v1::SystemEvent> events;
  // The connection may have been idle for so long that the bus has closed it, which the first call on it finds out.
  WaitFor(
      "the journal to be read",
      [&] {
        const auto response = Call(&bus::v1::JournalService::Stub::ListEvents, bus_.journal(), request, kPatience);
        if (response.ok()) events.assign(response->events().begin(), response->events().end());
        return response.ok();
      },
      kPatience);
  return events;
}

std::vector<event::v1::SystemEvent> NetworkNode::NetworkEvents() { return Events("event_type = network_applied"); }

std::vector<event::v1::SystemEvent> NetworkNode::FailureEvents() {
  return Events("event_type = custom AND subject = \"network\"");
}

std::vector<std::string> Told(const google::protobuf::RepeatedPtrField<event::v1::ConfigChange>& changes) {
  std::vector<std::string> told;
  for (const event::v1::ConfigChange& change : changes) {
    const std::string type = ChangeType_Name(change.change_type()).substr(sizeof("CHANGE_TYPE"));
    told.push_back(absl::StrCat(absl::AsciiStrToLower(type), " ", change.target()));
  }
  return told;
}

Apply ApplyOf(const std::string& json) { return FromJson<Apply>(json); }

}  // namespace pvebus::testing
