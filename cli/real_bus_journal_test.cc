#include <nlohmann/json.hpp>

#include "cli/testing/real_bus_fixture.h"

namespace pvebus::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What happened, to whom, why, and again: as an operator asks the real bus.
class RealBusJournalTest : public RealBusTest {
 protected:
  // The id of an event that nobody is waited for.
  std::string Publish(std::vector<std::string> event) {
    event.insert(event.begin(), "publish");
    event.insert(event.end(), {"--wait", "durable", "--output", "json"});
    const Ended published = Run(std::move(event));
    EXPECT_EQ(published.exit_code, 0) << published.err;
    return nlohmann::json::parse(published.out)["result"]["event_id"];
  }
  nlohmann::json Json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--output", "json"});
    return nlohmann::json::parse(Run(std::move(arguments)).out);
  }
};

TEST_F(RealBusJournalTest, EventsAreListedFilteredAndFollowed) {
  for (const char* name : {"a", "b", "c"}) Publish({"custom", name});

  EXPECT_EQ(Run({"events", "--from", "2", "--limit", "1", "--original"}).out,
            "{\"event\":\"custom\",\"name\":\"b\",\"data\":{}}\n");
  EXPECT_THAT(Run({"events", "--from", "-1h", "--to", "2"}).out,
              AllOf(HasSubstr("custom event a"), HasSubstr("custom event b"), Not(HasSubstr("custom event c"))));
  EXPECT_EQ(Run({"events", "--type", "container_started"}).out, "");
  EXPECT_EQ(Run({"events", "--to", "-1h"}).out, "");

  const auto follower = Start({"events", "--follow", "--original", "--from", "3"});
  EXPECT_TRUE(follower->WaitForLine("{\"event\":\"custom\",\"name\":\"c\"", kSoon).ok());
  Publish({"custom", "d"});
  EXPECT_TRUE(follower->WaitForLine("{\"event\":\"custom\",\"name\":\"d\"", kSoon).ok());
  follower->Signal(SIGINT);
  EXPECT_EQ(End(*follower).exit_code, 0);
}

TEST_F(RealBusJournalTest, AnEventIsFoundByItsIdAndByItsSequence) {
  const std::string id = Publish({"container-started", "101"});

  EXPECT_EQ(Json({"event", id}), Json({"event", "1"}));
  EXPECT_EQ(Json({"event", "1"})["event"]["event_id"], id);
  EXPECT_EQ(Run({"event", "2"}).exit_code, 3);
}

TEST_F(RealBusJournalTest, ATreeIsTheSameFromEveryEventOfIt) {
  const std::string root = Publish({"custom", "root"});
  const std::string child = Publish({"custom", "child", "--parent", root});
  Publish({"custom", "grandchild", "--parent", child});

  const Ended tree = Run({"trace", child});

  EXPECT_EQ(tree.exit_code, 0) << tree.err;
  EXPECT_THAT(tree.out, AllOf(HasSubstr("\n#1 custom event root"), HasSubstr("\n└─ #2 custom event child"),
                              HasSubstr("\n   └─ #3 custom event grandchild")));
  EXPECT_EQ(Json({"trace", root}), Json({"trace", child}));
}

TEST_F(RealBusJournalTest, ADeadLetterIsListedShownAndRedriven) {
  {
    const auto bad = Listen("nas", {"--durable", "--reject", "dead-letter", "--reason", "NFS_DOWN"});
    EXPECT_EQ(Run({"publish", "storage-vlan-created", "nas"}).exit_code, 1);
    bad->Signal(SIGTERM);
    EXPECT_EQ(End(*bad).exit_code, 0);
  }
  const auto letters = Json({"dead-letters", "list", "--filter", "reason = \"NFS_DOWN\""})["dead_letters"];
  ASSERT_EQ(letters.size(), 1u);
  const std::string id = letters[0]["dead_letter_id"];
  EXPECT_THAT(Run({"dead-letters", "show", id}).out, AllOf(HasSubstr("NFS_DOWN"), HasSubstr("attempts without success")));
  EXPECT_THAT(Run({"dead-letters", "redrive", id, "--validate-only"}).out, HasSubstr("1 dead letter would be"));

  const auto good = Listen("nas", {"--durable", "--count", "1"});
  EXPECT_EQ(Run({"dead-letters", "redrive", id}).exit_code, 0);

  const Ended handled = End(*good);
  EXPECT_EQ(handled.exit_code, 0);
  EXPECT_THAT(handled.out, HasSubstr("replay "));
  EXPECT_EQ(Run({"dead-letters", "list"}).out, "no dead letters\n");
}

TEST_F(RealBusJournalTest, WhatIsDiscardedIsForgotten) {
  const auto bad = Listen("nas", {"--durable", "--reject", "dead-letter"});
  EXPECT_EQ(Run({"publish", "storage-vlan-created", "nas"}).exit_code, 1);

  EXPECT_EQ(Run({"dead-letters", "discard", "--all", "--reason", "a test"}).out, "1 dead letter forgotten\n");

  EXPECT_EQ(Run({"dead-letters", "list"}).out, "no dead letters\n");
}

TEST_F(RealBusJournalTest, AReplayReachesTheListenerThatIsNamedWithEveryEventOfThePart) {
  for (const char* name : {"a", "b", "c"}) Publish({"custom", name});
  const auto listener = Listen("late", {"--durable", "--count", "2"});

  EXPECT_EQ(Json({"replay", "--to", "late", "--from", "2", "--validate-only"})["delivery_count"], "2");
  EXPECT_EQ(Json({"replay", "--to", "late", "--from", "2"})["event_count"], "2");

  EXPECT_THAT(End(*listener).out, AllOf(HasSubstr("custom event b"), HasSubstr("custom event c"), HasSubstr("replay ")));
  EXPECT_THAT(Run({"replay", "--to", "lat", "--from", "2"}).err, AllOf(HasSubstr("LISTENER_NOT_FOUND"), HasSubstr("late")));
}

TEST_F(RealBusJournalTest, AJournalThatIsAsItWasWrittenVerifies) {
  for (const char* name : {"a", "b", "c"}) Publish({"custom", name});

  EXPECT_EQ(Run({"journal", "verify"}).out, "3 events are as they were written\n");
  EXPECT_EQ(Run({"journal", "status"}).exit_code, 0);
}

}  // namespace
}  // namespace pvebus::cli
