#include <nlohmann/json.hpp>

#include "cli/testing/real_bus_fixture.h"

namespace pvebus::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(RealBusTest, AckRejectAndHangAreThreeRowsOfOneResult) {
  const auto good = Listen("good");
  const auto bad = Listen("bad", {"--reject", "dead-letter", "--reason", "NFS_DOWN", "--message", "NAS does not answer"});
  const auto hung = Listen("hung", {"--hang", "--ack-deadline", "10m"});

  const Ended run = Run({"publish", "container-started", "101", "--wait-timeout", "300ms", "--output", "json"});

  EXPECT_EQ(run.exit_code, 1) << run.err;
  const auto rows = nlohmann::json::parse(run.out)["result"]["listener_results"];
  ASSERT_EQ(rows.size(), 3u) << run.out;
  EXPECT_EQ(rows[0]["listener"], "bad");
  EXPECT_EQ(rows[0]["state"], "DELIVERY_STATE_DEAD_LETTERED");
  EXPECT_EQ(rows[0]["error"]["reason"], "NFS_DOWN");
  EXPECT_EQ(rows[0]["error"]["message"], "NAS does not answer");
  EXPECT_EQ(rows[1]["state"], "DELIVERY_STATE_SUCCEEDED");
  EXPECT_EQ(rows[2]["state"], "DELIVERY_STATE_IN_FLIGHT");
}

TEST_F(RealBusTest, AListenerEndsAfterTheNumberOfEventsItWasAskedFor) {
  const auto listener = Listen("eyes", {"--count", "2", "--original"});

  for (const char* id : {"101", "102"}) EXPECT_EQ(Run({"publish", "container-started", id}).exit_code, 0);

  const Ended ended = End(*listener);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "{\"event\":\"container_started\",\"id\":101}\n{\"event\":\"container_started\",\"id\":102}\n");
}

TEST_F(RealBusTest, InterruptedAListenerLeavesAtOnceAndIsForgotten) {
  const auto listener = Listen("eyes");

  listener->Signal(SIGINT);

  EXPECT_EQ(End(*listener).exit_code, 0);
  EXPECT_EQ(Run({"listeners"}).out, "no listeners\n");
}

TEST_F(RealBusTest, ADurableListenerFindsWhatItMissed) {
  LeaveDurably("audit");
  EXPECT_EQ(Run({"publish", "custom", "missed", "--wait", "durable"}).exit_code, 0);

  const Ended again = Run({"listen", "audit", "--durable", "--count", "1"});

  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("custom event missed"));
}

TEST_F(RealBusTest, ANameThatIsHeldIsRefusedAndCanBeTakenOver) {
  const auto holder = Listen("one", {"--instance-id", "first"});

  const Ended refused = Run({"listen", "one"});
  const auto thief = Listen("one", {"--takeover"});

  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, ::testing::AllOf(HasSubstr("LISTENER_NAME_IN_USE"), HasSubstr("first"), HasSubstr("--takeover")));
  const Ended lost = End(*holder);
  EXPECT_EQ(lost.exit_code, 3);
  EXPECT_THAT(lost.err, HasSubstr("SESSION_SUPERSEDED"));
}

TEST_F(RealBusTest, AnEvictedListenerSaysWhyItEnds) {
  const auto listener = Listen("eyes", {"--durable"});

  EXPECT_EQ(Run({"listeners", "evict", "eyes", "--reason", "maintenance"}).exit_code, 0);

  const Ended evicted = End(*listener);
  EXPECT_EQ(evicted.exit_code, 3);
  EXPECT_THAT(evicted.err, ::testing::AllOf(HasSubstr("LISTENER_EVICTED"), HasSubstr("maintenance")));
}

TEST_F(RealBusTest, AnOperatorCanPauseResumeSeekAndDelete) {
  LeaveDurably("audit");
  EXPECT_EQ(Run({"publish", "custom", "x", "--wait", "durable"}).exit_code, 0);

  EXPECT_THAT(Run({"listeners", "pause", "audit", "--reason", "NAS is moved"}).out, HasSubstr("NAS is moved"));
  EXPECT_THAT(Run({"listeners", "resume", "audit"}).out, Not(HasSubstr("PAUSED")));
  const Ended sought = Run({"listeners", "seek", "audit", "--to", "latest"});
  EXPECT_THAT(sought.out, HasSubstr("1 unsettled events jumped over")) << "exit " << sought.exit_code.value_or(-1) << sought.err;
  EXPECT_EQ(Run({"listeners", "delete", "audit"}).exit_code, 0);
  EXPECT_EQ(Run({"listeners", "audit"}).exit_code, 3);
}

TEST_F(RealBusTest, WatchEndsAtItsCountAndAtCtrlC) {
  EXPECT_EQ(Run({"publish", "storage-vlan-created", "nas"}).exit_code, 0);

  EXPECT_EQ(Run({"watch", "--from", "earliest", "--count", "1", "--original"}).out,
            "{\"event\":\"storage_vlan_created\",\"id\":\"nas\"}\n");
  const auto watcher = Start({"watch", "--from", "earliest", "--original"});
  EXPECT_TRUE(watcher->WaitForLine("{\"event\"", kSoon).ok());
  watcher->Signal(SIGINT);
  EXPECT_EQ(End(*watcher).exit_code, 0);
}

TEST_F(RealBusTest, HealthFollowsTheRequiredListeners) {
  pvebus::testing::BusProcess demanding({"--require-listeners", "eyes"});
  const auto health = [&](const std::string& wait) { return Run({"health", "--address", demanding.address(), "--wait", wait}); };

  EXPECT_EQ(health("100ms").exit_code, 1);
  auto waiting = Start({"health", "--address", demanding.address(), "--wait", "20s"});
  pvebus::testing::Process listener({pvebus::testing::ProgramPath("pvebus"), "listen", "eyes", "--bus", demanding.address()});

  EXPECT_EQ(End(*waiting).exit_code, 0);
}

TEST_F(RealBusTest, PublishingTwiceWithOneRequestIdStoresOnce) {
  const Ended first = Run({"publish", "custom", "x", "--request-id", "r1", "--output", "json"});
  const Ended second = Run({"publish", "custom", "x", "--request-id", "r1", "--output", "json"});

  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(second.out, HasSubstr("\"duplicate\": true"));
  EXPECT_EQ(nlohmann::json::parse(first.out)["result"], nlohmann::json::parse(second.out)["result"]);
  EXPECT_THAT(Run({"result", "--request-id", "r1"}).out, HasSubstr("NO_LISTENERS"));
}

}  // namespace
}  // namespace pvebus::cli
