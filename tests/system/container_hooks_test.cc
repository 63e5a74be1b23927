// What container-service does about a container's start, with the real programs: bridges and veths as Proxmox VE names them, and
// hook programs as administrators write them.
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tests/system/container_node.h"
#include "tests/system/hook_rows.h"

namespace pvebus::testing {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr seconds kPatience{30};

class ContainerHooksTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto entered = NetworkNamespace::Enter();
    if (!entered.ok()) {
      why_not_ = entered.status().ToString();
      return;
    }
    static const NetworkNamespace kNetwork = *std::move(entered);
    Sh("ip link set lo up && ip link add vmbr0 type bridge && ip link set vmbr0 up");
  }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << "NOT PROVEN: hooks of containers. No network namespace: " << why_not_;
    // These tests are about hooks; starts are found in container_watch_test.
    node_.emplace(std::vector<std::string>{"--no-watch-links", "--program-limit", "2"});
  }
  void TearDown() override {
    node_.reset();
    for (uint32_t id = 101; id < 101 + kMostContainers; ++id) ShSucceeds(absl::StrFormat("ip link delete veth%di0", id));
  }

  // With net0 in vmbr0, as its file says.
  void StartContainer(uint32_t id) {
    node_->WriteContainer(id, absl::StrFormat("hostname: ct%d\nnet0: name=eth0,bridge=vmbr0,ip=dhcp,type=veth\n", id));
    Sh(absl::StrFormat("ip link add veth%1$di0 type veth peer name p%1$d && ip link set veth%1$di0 master vmbr0 up", id));
  }
  // Notes in a file that it ran, and for whom.
  std::string Noting(const std::string& name) const {
    return absl::StrFormat("echo \"%s $1 $2\" >>%s\n", name, node_->Folder("notes"));
  }
  std::vector<std::string> Notes() const {
    std::ifstream file(node_->Folder("notes"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  int CountNotes(const std::string& note) const {
    const auto notes = Notes();
    return static_cast<int>(std::count(notes.begin(), notes.end(), note));
  }

  static constexpr uint32_t kMostContainers = 40;
  static inline std::string why_not_;
  std::optional<ContainerNode> node_;
};

const bus::v1::HookResult* RowAbout(const std::vector<bus::v1::HookResult>& rows, const std::string& resource) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.resource() == resource; });
  return found == rows.end() ? nullptr : &*found;
}

TEST_F(ContainerHooksTest, EveryHookAndEveryProgramIsARowOfTheResult) {
  StartContainer(101);
  node_->WriteProgram("10-good", "echo fine; cat >" + node_->Folder("input") + "; env >" + node_->Folder("env") + "\n");
  node_->WriteProgram("20-bad", "echo 'no route to DNS'; exit 3\n");
  node_->WriteProgram("30-hangs", "sleep 1000 & echo $! >" + node_->Folder("child") + "; wait\n");
  node_->WriteProgram("40-leaves-a-child", "sleep 1000 & echo $! >" + node_->Folder("daemon") + "; exit 0\n");
  node_->WriteProgram("50-megabyte", "head -c 1000000 /dev/zero | tr '\\0' 'x'; echo the-end\n");
  node_->WriteProgram("60-bytes", "printf '\\377\\376 end\\n'\n");
  std::ofstream(node_->Folder("hooks") + "/70-not-executable") << "#!/bin/sh\n";

  const auto published = node_->bus().Publish(ContainerStartedEvent(101));

  ASSERT_TRUE(published.ok()) << published.status();
  const bus::v1::ListenerResult row = RowOf(published->result(), "container-network-hooks");
  EXPECT_EQ(row.state(), bus::v1::DELIVERY_STATE_RETRY_SCHEDULED);
  ASSERT_EQ(HookRowsOf(row, "network-event-logger").size(), 1);
  ASSERT_EQ(HookRowsOf(row, "vnet-validation").size(), 2);
  EXPECT_EQ(HookRowsOf(row, "vnet-validation")[1].state(), bus::v1::HOOK_STATE_UNCHANGED);
  ASSERT_EQ(HookRowsOf(row, "link-check").size(), 2);
  EXPECT_EQ(HookRowsOf(row, "link-check")[1].after(), "veth101i0 is up, in vmbr0, MTU 1500");
  const auto rows = HookRowsOf(row, "hook-programs");
  ASSERT_EQ(rows.size(), 8) << row.DebugString();
  EXPECT_EQ(rows[0].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_THAT(rows[0].message(), HasSubstr("20-bad: exit status 3"));
  EXPECT_EQ(RowAbout(rows, "10-good")->exit_code(), 0);
  EXPECT_EQ(RowAbout(rows, "10-good")->output(), "fine\n");
  EXPECT_EQ(RowAbout(rows, "20-bad")->exit_code(), 3);
  EXPECT_EQ(RowAbout(rows, "20-bad")->output(), "no route to DNS\n");
  EXPECT_EQ(RowAbout(rows, "30-hangs")->state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_THAT(RowAbout(rows, "30-hangs")->message(), HasSubstr("time limit of 2 s"));
  EXPECT_EQ(RowAbout(rows, "40-leaves-a-child")->exit_code(), 0);
  EXPECT_LE(RowAbout(rows, "50-megabyte")->output().size(), 4096);
  EXPECT_THAT(RowAbout(rows, "50-megabyte")->output(), EndsWith("xthe-end\n"));
  EXPECT_EQ(RowAbout(rows, "60-bytes")->output(), "?? end\n");
  EXPECT_THAT(RowAbout(rows, "70-not-executable")->message(), HasSubstr("chmod +x"));
  EXPECT_THAT(ShOutput("cat " + node_->Folder("input")),
              AllOf(HasSubstr(R"("event_type":"ContainerStarted")"), HasSubstr(R"("bridge":"vmbr0")"), HasSubstr("ct101")));
  EXPECT_THAT(ShOutput("cat " + node_->Folder("env")), AllOf(HasSubstr("PVEBUS_CONTAINER_ID=101"), HasSubstr("LXC_NAME=101")));
  // The whole group of what was ended is gone; a daemon of what ended by itself is left alone.
  WaitFor(
      "the child of 30-hangs to be gone", [&] { return !ShSucceeds("kill -0 $(cat " + node_->Folder("child") + ")"); },
      kPatience);
  EXPECT_TRUE(ShSucceeds("kill $(cat " + node_->Folder("daemon") + ")"));
}

TEST_F(ContainerHooksTest, TheCommandLineShowsTheRowsAndWhatTheyCaused) {
  StartContainer(101);
  node_->WriteProgram("10-register", node_->PvebusProgram() + " publish custom dns-registered --wait durable >/dev/null\n");
  node_->WriteProgram("20-bad", "echo 'first line'; echo 'no route to DNS'; exit 3\n");
  std::string out;

  EXPECT_EQ(node_->Pvebus({"publish", "container-started", "101"}, &out), 1);

  EXPECT_THAT(out, AllOf(HasSubstr("vnet-validation"), HasSubstr("link-check"), HasSubstr("hook-programs"), HasSubstr("20-bad"),
                         HasSubstr("no route to DNS"), HasSubstr("10-register")));
  const auto started = node_->Events("container_started");
  ASSERT_EQ(started.size(), 1);
  EXPECT_EQ(node_->Pvebus({"trace", started[0].event_id()}, &out), 1);
  EXPECT_THAT(out, HasSubstr("dns-registered"));
  EXPECT_EQ(node_->Pvebus({"event", started[0].event_id()}, &out), 1);
  EXPECT_THAT(out, AllOf(HasSubstr("first line"), HasSubstr("no route to DNS")));
  EXPECT_EQ(node_->Pvebus({"container", "executions", "--vmid", "101", "--hook", "hook-programs", "--state", "failed"}, &out), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("20-bad"), Not(HasSubstr("10-register"))));
  EXPECT_EQ(node_->Pvebus({"container", "network", "101"}, &out), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("veth101i0"), HasSubstr("vmbr0")));
  EXPECT_EQ(node_->Pvebus({"container", "run", "101", "--dry-run"}, &out), 0);
  EXPECT_THAT(out, HasSubstr("would be run"));
}

TEST_F(ContainerHooksTest, WhatSucceededIsNotRunAgainWhenAnotherIsTriedAgain) {
  StartContainer(101);
  node_->WriteProgram("10-once", Noting("once"));
  node_->WriteProgram("20-second-time", Noting("tried") + "test -e " + node_->Folder("ready") + " || { touch " +
                                            node_->Folder("ready") + "; exit 1; }\n");

  const auto published = node_->bus().Publish(ContainerStartedEvent(101));

  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->result().outcome(), bus::v1::PUBLISH_OUTCOME_FAILED);
  const auto rows = HookRowsOf(node_->SettledRow(published->result().event_id()), "hook-programs");
  EXPECT_EQ(RowAbout(rows, "10-once")->message(), "attempt 1 has done it");
  EXPECT_EQ(RowAbout(rows, "20-second-time")->exit_code(), 0);
  EXPECT_EQ(CountNotes("once 101 post-start"), 1);
  EXPECT_EQ(CountNotes("tried 101 post-start"), 2);
}

TEST_F(ContainerHooksTest, AServiceThatIsKilledInTheMiddleRepeatsOnlyWhatHadNotEnded) {
  StartContainer(101);
  node_->WriteProgram("10-quick", Noting("quick"));
  node_->WriteProgram("20-slow", Noting("slow") + "test -e " + node_->Folder("killed") + " || sleep 1000\n");
  const std::string event_id = node_->bus().PublishDurable(ContainerStartedEvent(101));
  WaitFor(
      "the slow program to run", [&] { return CountNotes("slow 101 post-start") == 1; }, kPatience);

  node_->Kill();
  Sh("touch " + node_->Folder("killed"));
  node_->Start();

  node_->SettledRow(event_id);
  EXPECT_EQ(CountNotes("quick 101 post-start"), 1);
  EXPECT_EQ(CountNotes("slow 101 post-start"), 2);
}

TEST_F(ContainerHooksTest, ABurstIsDoneOnceEachWithBoundedProcessesThoughTheServiceIsKilled) {
  node_.emplace(std::vector<std::string>{"--no-watch-links", "--parallel-programs", "4"});
  for (uint32_t id = 101; id < 101 + kMostContainers; ++id) StartContainer(id);
  // How many of them run beside this one.
  node_->WriteProgram("10-count", Noting("begun") + "mkdir -p " + node_->Folder("running") + "; touch " +
                                      node_->Folder("running") + "/$$; ls " + node_->Folder("running") + " | wc -l >>" +
                                      node_->Folder("counts") + "; sleep 0.02; rm " + node_->Folder("running") + "/$$\n" +
                                      Noting("done"));

  std::vector<std::string> event_ids;
  for (uint32_t id = 101; id < 101 + kMostContainers; ++id) {
    event_ids.push_back(node_->bus().PublishDurable(ContainerStartedEvent(id)));
  }
  WaitFor(
      "a quarter to be done", [&] { return Notes().size() >= kMostContainers / 2; }, kPatience);
  std::vector<uint32_t> settled;
  for (uint32_t i = 0; i < kMostContainers; ++i) {
    const auto row = RowOf(node_->bus().Result(event_ids[i]), "container-network-hooks");
    if (row.state() == bus::v1::DELIVERY_STATE_SUCCEEDED) settled.push_back(101 + i);
  }
  node_->Kill();
  WaitFor(
      "programs that were left to end", [&] { return ShOutput("ls " + node_->Folder("running")).empty(); }, kPatience);
  node_->Start();

  for (const std::string& event_id : event_ids) node_->SettledRow(event_id);
  for (uint32_t id = 101; id < 101 + kMostContainers; ++id) {
    EXPECT_GE(CountNotes(absl::StrFormat("done %d post-start", id)), 1) << id;
  }
  // Only what was running, or had not been recorded yet, when the service was killed may have been done twice.
  EXPECT_FALSE(settled.empty());
  for (const uint32_t id : settled) EXPECT_EQ(CountNotes(absl::StrFormat("done %d post-start", id)), 1) << id;
  std::ifstream counts(node_->Folder("counts"));
  int most = 0;
  for (int count = 0; counts >> count;) most = std::max(most, count);
  EXPECT_GE(most, 2);
  EXPECT_LE(most, 4);
}

TEST_F(ContainerHooksTest, AWrongBridgeIsFoundAndTheEventSucceedsWhenItWasPutRight) {
  StartContainer(101);
  Sh("ip link set veth101i0 nomaster");

  const auto published = node_->bus().Publish(ContainerStartedEvent(101));

  ASSERT_TRUE(published.ok()) << published.status();
  const auto rows = HookRowsOf(RowOf(published->result(), "container-network-hooks"), "link-check");
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[1].resource(), "container/101/net0");
  EXPECT_EQ(rows[1].message(), "veth101i0 is in no bridge; it belongs in vmbr0");
  Sh("ip link set veth101i0 master vmbr0");
  node_->SettledRow(published->result().event_id());
}

}  // namespace
}  // namespace pvebus::testing
