// Starts, reboots and stops of a real container of LXC. Runs inside User Mode Linux, as root of it.
#include <iostream>
#include <optional>

#include "absl/strings/str_format.h"
#include "tests/system/container_node.h"
#include "tests/system/hook_rows.h"
#include "tests/system/lxc_container.h"

namespace pvebus::testing {
namespace {

using std::chrono::seconds;
using Reboots = LxcContainer::Reboots;

constexpr seconds kPatience{60};
constexpr char kStarted[] = "container_started";
constexpr char kStopped[] = "container_stopped";

class ContainerLxcTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = LxcContainer::WhyNot();
    if (!why_not.empty()) GTEST_SKIP() << "NOT PROVEN: containers of LXC. " << why_not;
    Sh("ip link add vmbr0 type bridge && ip link set vmbr0 up");
    node_.emplace();
    node_->WriteContainer(101, "hostname: ct101\nnet0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,type=veth\n");
    node_->WriteProgram("10-note", "echo \"$1 $2\" | tee -a " + node_->Folder("notes") + "\n");
    AwaitInMemory("");  // what runs when the node is watched for the first time is no start
  }
  void TearDown() override {
    container_.reset();
    node_.reset();
    ShSucceeds("ip link delete vmbr0");
  }

  LxcContainer& Start(Reboots reboots) {
    container_.emplace(101, reboots);
    container_->Start();
    return *container_;
  }
  void AwaitInMemory(const std::string& text) {
    WaitFor(
        "containers.json to have " + text,
        [&] { return ShSucceeds("grep -q '" + text + "' " + node_->Folder("data/containers.json")); }, kPatience);
  }
  // As Proxmox VE runs it when `pct start` has started the container; never for a reboot from inside.
  void RunHookscript() {
    Sh(absl::StrFormat("PVEBUS_LIMIT=30 PVEBUS=%s PVEBUS_BUS=%s PVEBUS_SPOOL=%s %s/deploy/hookscripts/pvebus 101 post-start",
                       node_->PvebusProgram(), node_->bus().address(), node_->Folder("data/spool"), PVEBUS_SOURCE_DIR));
  }
  void ExpectRebootIsAnotherStart(Reboots reboots);

  std::optional<ContainerNode> node_;
  std::optional<LxcContainer> container_;
};

TEST_F(ContainerLxcTest, ItsStartIsToldOnceWithItsNetworkInOrderAndSoIsItsStop) {
  LxcContainer& container = Start(Reboots::kBySystemd);
  RunHookscript();
  node_->AwaitEvents(kStarted, 1);
  AwaitInMemory("veth101i0");
  // Whoever comes second tells of the same start.
  RunHookscript();

  ASSERT_EQ(node_->Events(kStarted).size(), 1);
  const auto row = node_->SettledRow(node_->Events(kStarted)[0].event_id());
  container.ShutDown();
  node_->AwaitEvents(kStopped, 1);

  const auto links = HookRowsOf(row, "link-check");
  ASSERT_EQ(links.size(), 2) << row.DebugString();
  EXPECT_EQ(links[1].state(), bus::v1::HOOK_STATE_UNCHANGED) << row.DebugString();
  EXPECT_EQ(links[1].resource(), "container/101/net0");
  EXPECT_EQ(links[1].after(), "veth101i0 is up, in vmbr0, MTU 1500");
  const auto programs = HookRowsOf(row, "hook-programs");
  ASSERT_EQ(programs.size(), 2) << row.DebugString();
  EXPECT_EQ(programs[1].output(), "101 post-start\n");
  EXPECT_EQ(node_->Events(kStarted).size(), 1);
  const auto stops = node_->Events(kStopped);
  ASSERT_EQ(stops.size(), 1);
  EXPECT_EQ(stops[0].custom().data().at("container_id").number_value(), 101);
  node_->SettledRow(stops[0].event_id());
  EXPECT_EQ(ShOutput("cat " + node_->Folder("notes")), "101 post-start\n101 post-stop\n");
}

void ContainerLxcTest::ExpectRebootIsAnotherStart(Reboots reboots) {
  LxcContainer& container = Start(reboots);
  RunHookscript();
  AwaitInMemory("veth101i0");
  const std::string cgroup = container.CgroupInode();
  const std::string link = container.LinkIndex();

  container.RebootFromInside();
  node_->AwaitEvents(kStarted, 2);

  const auto events = node_->Events(kStarted);
  ASSERT_EQ(events.size(), 2);
  const auto row = node_->SettledRow(events[1].event_id());
  const auto links = HookRowsOf(row, "link-check");
  ASSERT_EQ(links.size(), 2) << row.DebugString();
  EXPECT_EQ(links[1].state(), bus::v1::HOOK_STATE_UNCHANGED) << row.DebugString();
  EXPECT_EQ(node_->Events(kStopped).size(), 1);
  // What starts are told apart by.
  EXPECT_NE(container.CgroupInode(), cgroup);
  EXPECT_NE(container.LinkIndex(), link);
  std::cout << absl::StrFormat("reboot: inode of the cgroup %s, then %s; index of the link %s, then %s\n", cgroup,
                               container.CgroupInode(), link, container.LinkIndex());
  container.ShutDown();
  node_->AwaitEvents(kStopped, 2);
  EXPECT_EQ(node_->Events(kStarted).size(), 2);
}

TEST_F(ContainerLxcTest, ARebootFromInsideIsAnotherStart) { ExpectRebootIsAnotherStart(Reboots::kBySystemd); }
TEST_F(ContainerLxcTest, ARebootThatLxcDoesByItselfIsAnotherStart) { ExpectRebootIsAnotherStart(Reboots::kByLxc); }

}  // namespace
}  // namespace pvebus::testing
