#include "cli/fake_bus.h"
#include "cli/run_in_test.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Each command against a bus that says what the test wants: what is asked, what is printed, how it ends.
class CommandsTest : public testing::Test {
 protected:
  RunOutcome Pvebus(std::vector<const char*> arguments) {
    arguments.insert(arguments.end(), {"--bus", bus_.address().c_str()});
    return RunInTest(arguments);
  }
  void Answer(bus::v1::PublishOutcome outcome) {
    bus_.publish_response.mutable_result()->set_event_id("e1");
    bus_.publish_response.mutable_result()->set_sequence(7);
    bus_.publish_response.mutable_result()->set_outcome(outcome);
  }

  FakeBus bus_;
};

TEST_F(CommandsTest, PublishSendsWhatItWasTold) {
  Answer(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);

  const RunOutcome run = Pvebus({"publish",
                                 "network-applied",
                                 "--change",
                                 "create:vmbr1",
                                 "--change",
                                 "delete:vmbr2:old",
                                 "--wait",
                                 "settled",
                                 "--wait-timeout",
                                 "3s",
                                 "--require",
                                 "a,b",
                                 "--event-id",
                                 "e1",
                                 "--source",
                                 "me",
                                 "--subject",
                                 "bridges",
                                 "--key",
                                 "k",
                                 "--attribute",
                                 "site=east",
                                 "--expire-in",
                                 "1m",
                                 "--parent",
                                 "e0",
                                 "--request-id",
                                 "r1",
                                 "--expected-last-sequence",
                                 "6"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  const bus::v1::PublishRequest& request = bus_.published;
  EXPECT_EQ(request.event().network_applied().changes_size(), 2);
  EXPECT_EQ(request.event().network_applied().changes(1).description(), "old");
  EXPECT_EQ(request.wait_policy(), bus::v1::WAIT_POLICY_SETTLED);
  EXPECT_EQ(request.wait_timeout().seconds(), 3);
  EXPECT_THAT(request.required_listeners(), testing::ElementsAre("a", "b"));
  EXPECT_EQ(request.event().event_id(), "e1");
  EXPECT_EQ(request.event().source(), "me");
  EXPECT_EQ(request.event().subject(), "bridges");
  EXPECT_EQ(request.event().ordering_key(), "k");
  EXPECT_EQ(request.event().attributes().at("site"), "east");
  EXPECT_TRUE(request.event().has_expire_time());
  EXPECT_EQ(request.event().causation().parent_event_id(), "e0");
  EXPECT_EQ(request.request_id(), "r1");
  EXPECT_EQ(request.expected_last_sequence(), 6);
}

TEST_F(CommandsTest, APlainPublishLeavesTheDefaultsToTheBus) {
  Answer(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);

  EXPECT_EQ(Pvebus({"publish", "--json", R"({"event":"container_started","id":101})"}).exit_code, kAllSucceeded);

  EXPECT_EQ(bus_.published.event().container_started().id(), 101u);
  EXPECT_EQ(bus_.published.wait_policy(), bus::v1::WAIT_POLICY_UNSPECIFIED);
  EXPECT_FALSE(bus_.published.has_wait_timeout());
  EXPECT_FALSE(bus_.published.has_expected_last_sequence());
  EXPECT_FALSE(bus_.published.event().has_causation());
  EXPECT_NE(bus_.published.request_id(), "");
}

TEST_F(CommandsTest, TheExitStatusTellsHowItWent) {
  const std::pair<bus::v1::PublishOutcome, int> cases[] = {{bus::v1::PUBLISH_OUTCOME_SUCCEEDED, 0},
                                                           {bus::v1::PUBLISH_OUTCOME_NO_LISTENERS, 0},
                                                           {bus::v1::PUBLISH_OUTCOME_PARTIAL, 1},
                                                           {bus::v1::PUBLISH_OUTCOME_FAILED, 1},
                                                           {bus::v1::PUBLISH_OUTCOME_PENDING, 1}};
  for (const auto& [outcome, exit_code] : cases) {
    Answer(outcome);

    EXPECT_EQ(Pvebus({"publish", "custom", "x"}).exit_code, exit_code) << outcome;
    EXPECT_EQ(Pvebus({"result", "e1"}).exit_code, exit_code) << outcome;
  }
  EXPECT_EQ(Pvebus({"publish", "custom", "x", "--wait", "durable"}).exit_code, 0);
  EXPECT_EQ(Pvebus({"publish", "custom", "x", "--validate-only"}).exit_code, 0);
}

TEST_F(CommandsTest, WhoDoesNotWaitIsToldWhoGetsIt) {
  Answer(bus::v1::PUBLISH_OUTCOME_PENDING);
  bus_.publish_response.mutable_result()->add_listener_results()->set_listener("a");
  bus_.publish_response.mutable_result()->add_listener_results()->set_listener("b");

  EXPECT_THAT(Pvebus({"publish", "custom", "x", "--wait", "durable"}).out,
              AllOf(HasSubstr("sequence 7"), HasSubstr("for      a, b\n")));
}

TEST_F(CommandsTest, JsonOutputIsOneDocumentOfTheContract) {
  Answer(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  bus_.publish_response.set_duplicate(true);

  const RunOutcome run = Pvebus({"--output", "json", "publish", "custom", "x"});

  bus::v1::PublishResponse response;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(run.out, &response).ok()) << run.out;
  EXPECT_EQ(response.result().sequence(), 7u);
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("\"event_id\": \"e1\""), HasSubstr("\"listener_results\": []"), HasSubstr("\"duplicate\": true")));
}

TEST_F(CommandsTest, ARefusalNamesReasonMetadataAndWhatToDo) {
  bus_.status = ToGrpcStatus(MakeError(absl::StatusCode::kFailedPrecondition, "REQUIRED_LISTENER_MISSING",
                                       "a required listener is missing", {{"listener", "storage-hooks"}}));

  const RunOutcome run = Pvebus({"publish", "custom", "x", "--require", "storage-hooks"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("refused: FAILED_PRECONDITION REQUIRED_LISTENER_MISSING: a required listener is missing\n"),
                    HasSubstr("  listener: storage-hooks\n"), HasSubstr("next: `pvebus listeners`")));
}

TEST_F(CommandsTest, ResultAsksByEventOrByRequest) {
  Answer(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);

  Pvebus({"result", "e1"});
  EXPECT_EQ(bus_.asked.event_id(), "e1");
  EXPECT_EQ(bus_.asked.wait_policy(), bus::v1::WAIT_POLICY_UNSPECIFIED);

  Pvebus({"result", "--request-id", "r1", "--wait", "settled"});
  EXPECT_EQ(bus_.asked.request_id(), "r1");
  EXPECT_EQ(bus_.asked.wait_policy(), bus::v1::WAIT_POLICY_SETTLED);
}

TEST_F(CommandsTest, AllPagesOfListenersAreShown) {
  bus_.listener_count = 5;

  const RunOutcome run = Pvebus({"listeners"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("LISTENER"), HasSubstr("listener-0"), HasSubstr("listener-4")));
  bus_.listener_count = 0;
  EXPECT_EQ(Pvebus({"listeners"}).out, "no listeners\n");
}

TEST_F(CommandsTest, SeekUnderstandsPlaces) {
  const RunOutcome run = Pvebus({"listeners", "seek", "storage-hooks", "--to", "5", "--validate-only"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(bus_.sought.position().sequence(), 5u);
  EXPECT_TRUE(bus_.sought.validate_only());
  EXPECT_THAT(run.out, HasSubstr("storage-hooks: goes on at sequence 5; 2 unsettled events jumped over"));
  Pvebus({"listeners", "seek", "storage-hooks", "--to", "earliest"});
  EXPECT_TRUE(bus_.sought.position().earliest());
  Pvebus({"listeners", "seek", "storage-hooks", "--to", "2026-11-23T12:00:00Z"});
  EXPECT_EQ(bus_.sought.position().time().seconds(), 1'795'435'200);
}

TEST_F(CommandsTest, WatchPrintsEventsAsTheyCome) {
  event::v1::SystemEvent& event = bus_.events.emplace_back();
  event.set_event_id("e1");
  event.set_sequence(7);
  event.mutable_container_started()->set_id(101);

  EXPECT_THAT(Pvebus({"watch", "--types", "container-started,custom", "--from", "earliest", "--count", "1"}).out,
              AllOf(HasSubstr("#7"), HasSubstr("container 101 started"), HasSubstr("[e1]")));
  EXPECT_EQ(bus_.watched.event_types_size(), 2);
  EXPECT_EQ(bus_.watched.max_events(), 1u);
  EXPECT_TRUE(bus_.watched.start_position().earliest());
  EXPECT_EQ(Pvebus({"watch", "--original"}).out, "{\"event\":\"container_started\",\"id\":101}\n");
  EXPECT_THAT(Pvebus({"watch", "--output", "json"}).out, HasSubstr("\"event_id\":\"e1\""));
}

TEST_F(CommandsTest, AJournalThatIsNotDurableIsSaidLoudly) {
  EXPECT_THAT(Pvebus({"journal", "status"}).out, AllOf(HasSubstr("MEMORY, NOT DURABLE"), HasSubstr("warning")));
}

TEST_F(CommandsTest, HealthTellsServingFromUnknown) {
  const RunOutcome serving = Pvebus({"health", "pvebus.bus.v1.BusService", "--wait", "5s"});
  const RunOutcome unknown = Pvebus({"health", "pvebus.bus.v1.Nonsense"});
  const RunOutcome never = Pvebus({"health", "pvebus.bus.v1.Nonsense", "--wait", "50ms"});

  EXPECT_EQ(serving.exit_code, kAllSucceeded) << serving.err;
  EXPECT_THAT(serving.out, HasSubstr("SERVING"));
  EXPECT_EQ(unknown.exit_code, kListenerFailed);
  EXPECT_THAT(unknown.out, HasSubstr("SERVICE_UNKNOWN"));
  EXPECT_EQ(never.exit_code, kListenerFailed);
}

}  // namespace
}  // namespace pvebus::cli
