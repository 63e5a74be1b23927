// Where ContainerStarted comes from: the node's links, hookscripts, and both for one start.
#include <signal.h>

#include <fstream>
#include <optional>

#include "absl/strings/str_format.h"
#include "tests/system/container_node.h"

namespace pvebus::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kStarted[] = "container_started";
constexpr char kStopped[] = "container_stopped";
constexpr char kChanged[] = "container_network_changed";

class ContainerWatchTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto entered = NetworkNamespace::Enter();
    if (!entered.ok()) {
      why_not_ = entered.status().ToString();
      return;
    }
    static const NetworkNamespace kNetwork = *std::move(entered);
    Sh("ip link set lo up && ip link add vmbr0 type bridge && ip link add blue type bridge && ip link set vmbr0 up && ip link "
       "set "
       "blue up");
  }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << "NOT PROVEN: starts of containers. No network namespace: " << why_not_;
    node_.emplace();
    // What runs when the node is watched for the first time is no start: so the watch has to have begun.
    WaitFor(
        "the watch to have begun", [&] { return ShSucceeds("test -e " + node_->Folder("data") + "/containers.json"); },
        seconds(10));
  }
  void TearDown() override {
    node_.reset();
    for (const char* link : {"veth101i0", "veth101i1", "veth102i0", "veth103i0"})
      ShSucceeds(std::string("ip link delete ") + link);
  }

  void AddDevice(const std::string& name, const std::string& bridge) {
    Sh(absl::StrFormat("ip link add %s type veth peer name p-%s && ip link set %s master %s up", name, name.substr(4), name,
                       bridge));
  }
  void AwaitKnown(const std::string& device) {
    WaitFor(
        device + " to be known", [&] { return ShSucceeds("grep -q " + device + " " + node_->Folder("data/containers.json")); },
        seconds(10));
  }
  std::string ChangeOf(size_t index) {
    const auto events = node_->Events(kChanged);
    if (index >= events.size()) return "none";
    const auto& data = events[index].custom().data();
    return data.at("change").string_value() + " " + data.at("interface").string_value() + " " + data.at("before").string_value() +
           ">" + data.at("after").string_value();
  }

  static inline std::string why_not_;
  std::optional<ContainerNode> node_;
};

TEST_F(ContainerWatchTest, StartStopAndChangesAreToldFromTheLinks) {
  std::ofstream(node_->Folder("sdn") + "/.running-config") << R"({"vnets":{"ids":{"blue":{"zone":"z"}}},"zones":{"ids":{}}})";
  AddDevice("veth101i0", "vmbr0");
  node_->AwaitEvents(kStarted, 1);
  EXPECT_EQ(node_->Events(kStarted)[0].container_started().id(), 101);

  AddDevice("veth101i1", "vmbr0");
  node_->AwaitEvents(kChanged, 1);
  EXPECT_EQ(ChangeOf(0), "interface_added net1 >vmbr0");
  Sh("ip link set veth101i1 master blue");
  node_->AwaitEvents(kChanged, 3);
  EXPECT_EQ(ChangeOf(1), "interface_updated net1 vmbr0>blue");
  EXPECT_EQ(ChangeOf(2), "vnet_bound net1 vmbr0>blue");
  Sh("ip link delete veth101i1");
  node_->AwaitEvents(kChanged, 5);
  EXPECT_EQ(ChangeOf(3), "vnet_unbound net1 blue>");
  EXPECT_EQ(ChangeOf(4), "interface_removed net1 blue>");

  Sh("ip link delete veth101i0");
  node_->AwaitEvents(kStopped, 1);
  EXPECT_EQ(node_->Events(kStopped)[0].custom().data().at("container_id").number_value(), 101);
  EXPECT_EQ(node_->Events(kStarted).size(), 1);
}

TEST_F(ContainerWatchTest, ARebootFromInsideIsAnotherStart) {
  AddDevice("veth101i0", "vmbr0");
  node_->AwaitEvents(kStarted, 1);

  Sh("ip link delete veth101i0");
  AddDevice("veth101i0", "vmbr0");

  node_->AwaitEvents(kStarted, 2);
  EXPECT_EQ(node_->Events(kStopped).size(), 1);
}

TEST_F(ContainerWatchTest, AHookscriptAndTheLinksTellOfOneStart) {
  AddDevice("veth101i0", "vmbr0");
  // A network namespace of the test has no /sys of its own.
  const std::string sys = node_->Folder("sys/class/net/veth101i0");
  Sh("mkdir -p " + sys + " && ip -o link show veth101i0 | cut -d: -f1 >" + sys + "/ifindex");

  Sh(absl::StrFormat(
      "PVEBUS_SYS=%s PVEBUS_LIMIT=10 PVEBUS=%s PVEBUS_BUS=%s PVEBUS_SPOOL=%s %s/deploy/hookscripts/pvebus 101 post-start",
      node_->Folder("sys"), node_->PvebusProgram(), node_->bus().address(), node_->Folder("data/spool"), PVEBUS_SOURCE_DIR));
  node_->AwaitEvents(kStarted, 1);
  AwaitKnown("veth101i0");
  // What the links told of the start is on the bus before what they tell of the end.
  Sh("ip link delete veth101i0");
  node_->AwaitEvents(kStopped, 1);

  EXPECT_EQ(node_->Events(kStarted).size(), 1);
}

TEST_F(ContainerWatchTest, WhatHappenedWhileTheServiceWasAwayIsToldWhenItIsBack) {
  AddDevice("veth101i0", "vmbr0");
  AddDevice("veth102i0", "vmbr0");
  node_->AwaitEvents(kStarted, 2);
  AwaitKnown("veth102i0");
  node_->Kill();

  Sh("ip link delete veth101i0");
  AddDevice("veth103i0", "vmbr0");
  node_->Start();

  node_->AwaitEvents(kStarted, 3);
  node_->AwaitEvents(kStopped, 1);
  EXPECT_EQ(node_->Events(kStarted)[2].container_started().id(), 103);
  EXPECT_EQ(node_->Events(kStopped)[0].custom().data().at("container_id").number_value(), 101);
}

TEST_F(ContainerWatchTest, WhatAHookscriptLeftWithTheBusAwayIsPublishedLater) {
  const std::string spool = node_->Folder("data/spool");
  node_->Kill();
  Sh(absl::StrFormat("PVEBUS_SYS=/nowhere PVEBUS=/nowhere PVEBUS_SPOOL=%s %s/deploy/hookscripts/pvebus 102 post-start", spool,
                     PVEBUS_SOURCE_DIR));
  ASSERT_THAT(ShOutput("ls " + spool), HasSubstr("container-started"));

  node_->Start();

  node_->AwaitEvents(kStarted, 1);
  EXPECT_EQ(node_->Events(kStarted)[0].container_started().id(), 102);
  WaitFor(
      "the spool to be empty", [&] { return ShOutput("ls " + spool).empty(); }, seconds(10));
}

TEST_F(ContainerWatchTest, ADamagedFileOfWhatWasKnownIsSetAsideAndTheWatchBeginsAnew) {
  node_->Kill();
  Sh("echo '{' >" + node_->Folder("data/containers.json"));
  node_->Start();
  WaitFor(
      "the damaged file to be kept", [&] { return ShSucceeds("test -e " + node_->Folder("data/containers.json.damaged")); },
      seconds(10));
  WaitFor(
      "the watch to have begun", [&] { return ShSucceeds("grep -q boot_id " + node_->Folder("data/containers.json")); },
      seconds(10));

  AddDevice("veth101i0", "vmbr0");

  node_->AwaitEvents(kStarted, 1);
}

TEST_F(ContainerWatchTest, AContainerThatRanBeforeAnybodyWatchedHasNotStarted) {
  AddDevice("veth101i0", "vmbr0");
  node_->AwaitEvents(kStarted, 1);
  node_->Kill();
  Sh("rm " + node_->Folder("data") + "/containers.json");
  node_->Start();
  WaitFor(
      "the watch to have begun", [&] { return ShSucceeds("test -e " + node_->Folder("data") + "/containers.json"); },
      seconds(10));

  AddDevice("veth102i0", "vmbr0");

  node_->AwaitEvents(kStarted, 2);
  EXPECT_EQ(node_->Events(kStarted)[1].container_started().id(), 102);
}

}  // namespace
}  // namespace pvebus::testing
