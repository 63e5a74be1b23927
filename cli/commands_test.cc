#include "cli/testing/commands_fixture.h"
#include "google/protobuf/util/json_util.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "pvebus/bus/v1/journal_service.pb.h"
#include "pvebus/bus/v1/registry_service.pb.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Publishing, listeners, watching, health.
class CommandsTest : public CommandsFixture {
 protected:
  void Answer(bus::v1::PublishOutcome outcome) {
    response_.mutable_result()->set_event_id("e1");
    response_.mutable_result()->set_sequence(7);
    response_.mutable_result()->set_outcome(outcome);
    Answer();
  }
  void Answer() {
    bus_.Answer("Publish", response_);
    bus::v1::GetPublishResultResponse result;
    *result.mutable_result() = response_.result();
    bus_.Answer("GetPublishResult", result);
  }
  bus::v1::PublishRequest Published() { return bus_.Asked<bus::v1::PublishRequest>("Publish").at(0); }

  bus::v1::PublishResponse response_;
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
  const bus::v1::PublishRequest request = Published();
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

  EXPECT_EQ(Published().event().container_started().id(), 101u);
  EXPECT_EQ(Published().wait_policy(), bus::v1::WAIT_POLICY_UNSPECIFIED);
  EXPECT_FALSE(Published().has_wait_timeout());
  EXPECT_FALSE(Published().has_expected_last_sequence());
  EXPECT_FALSE(Published().event().has_causation());
  EXPECT_NE(Published().request_id(), "");
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
  response_.mutable_result()->add_listener_results()->set_listener("a");
  response_.mutable_result()->add_listener_results()->set_listener("b");
  Answer();

  EXPECT_THAT(Pvebus({"publish", "custom", "x", "--wait", "durable"}).out,
              AllOf(HasSubstr("sequence 7"), HasSubstr("for      a, b\n")));
}

TEST_F(CommandsTest, JsonOutputIsOneDocumentOfTheContract) {
  Answer(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  response_.set_duplicate(true);
  Answer();

  const RunOutcome run = Pvebus({"--output", "json", "publish", "custom", "x"});

  bus::v1::PublishResponse response;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(run.out, &response).ok()) << run.out;
  EXPECT_EQ(response.result().sequence(), 7u);
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("\"event_id\": \"e1\""), HasSubstr("\"listener_results\": []"), HasSubstr("\"duplicate\": true")));
}

TEST_F(CommandsTest, ARefusalNamesReasonMetadataAndWhatToDo) {
  bus_.Answer("Publish", {},
              ToGrpcStatus(MakeError(absl::StatusCode::kFailedPrecondition, "REQUIRED_LISTENER_MISSING",
                                     "a required listener is missing", {{"listener", "storage-hooks"}})));

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
  Pvebus({"result", "--request-id", "r1", "--wait", "settled"});

  const auto asked = bus_.Asked<bus::v1::GetPublishResultRequest>("GetPublishResult");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].event_id(), "e1");
  EXPECT_EQ(asked[0].wait_policy(), bus::v1::WAIT_POLICY_UNSPECIFIED);
  EXPECT_EQ(asked[1].request_id(), "r1");
  EXPECT_EQ(asked[1].wait_policy(), bus::v1::WAIT_POLICY_SETTLED);
}

TEST_F(CommandsTest, AllPagesOfListenersAreShown) {
  bus::v1::ListListenersResponse first, second;
  first.add_listeners()->set_name("listener-0");
  first.set_next_page_token("more");
  second.add_listeners()->set_name("listener-1");
  bus_.Answer("ListListeners", first);
  bus_.AnswerThen("ListListeners", second);

  const RunOutcome run = Pvebus({"listeners", "--filter", "state = BLOCKED"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("LISTENER"), HasSubstr("listener-0"), HasSubstr("listener-1")));
  const auto asked = bus_.Asked<bus::v1::ListListenersRequest>("ListListeners");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1].page_token(), "more");
  EXPECT_EQ(asked[1].filter(), "state = BLOCKED");
}

TEST_F(CommandsTest, NoListenersIsSaidInWords) {
  bus_.Answer("ListListeners", bus::v1::ListListenersResponse());

  EXPECT_EQ(Pvebus({"listeners"}).out, "no listeners\n");
  EXPECT_EQ(Pvebus({"listeners", "--filter", "x"}).out, "no listeners match\n");
}

TEST_F(CommandsTest, AListThatHasNoEndIsNotFollowedForEver) {
  bus::v1::ListListenersResponse page;
  page.set_next_page_token("again");
  bus_.Answer("ListListeners", page);

  const RunOutcome run = Pvebus({"listeners"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, HasSubstr("the same page again"));
}

TEST_F(CommandsTest, OneListenerIsShownWithItsIncidents) {
  bus::v1::GetListenerResponse response;
  response.mutable_listener()->set_name("audit");
  response.mutable_listener()->add_incidents()->set_kind("BACKLOG_TRUNCATED");
  bus_.Answer("GetListener", response);

  EXPECT_THAT(Pvebus({"listeners", "audit"}).out, HasSubstr("BACKLOG_TRUNCATED"));
  EXPECT_THAT(Pvebus({"listeners", "audit", "--output", "json"}).out, HasSubstr("\"kind\": \"BACKLOG_TRUNCATED\""));
}

TEST_F(CommandsTest, SeekUnderstandsPlaces) {
  bus::v1::SeekListenerResponse response;
  response.set_next_sequence(5);
  response.set_skipped_count(2);
  bus_.Answer("SeekListener", response);

  const RunOutcome run = Pvebus({"listeners", "seek", "storage-hooks", "--to", "5", "--validate-only"});
  Pvebus({"listeners", "seek", "storage-hooks", "--to", "earliest"});
  Pvebus({"listeners", "seek", "storage-hooks", "--to", "2026-11-23T12:00:00Z"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, HasSubstr("storage-hooks: goes on at sequence 5; 2 unsettled events jumped over"));
  const auto asked = bus_.Asked<bus::v1::SeekListenerRequest>("SeekListener");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].position().sequence(), 5u);
  EXPECT_TRUE(asked[0].validate_only());
  EXPECT_TRUE(asked[1].position().earliest());
  EXPECT_EQ(asked[2].position().time().seconds(), 1'795'435'200);
}

TEST_F(CommandsTest, WatchPrintsEventsAsTheyCome) {
  bus::v1::WatchEventsResponse response;
  response.mutable_event()->set_event_id("e1");
  response.mutable_event()->set_sequence(7);
  response.mutable_event()->mutable_container_started()->set_id(101);
  bus_.Answer("WatchEvents", response);

  EXPECT_THAT(Pvebus({"watch", "--types", "container-started,custom", "--from", "earliest", "--count", "1"}).out,
              AllOf(HasSubstr("#7"), HasSubstr("container 101 started"), HasSubstr("[e1]")));
  EXPECT_EQ(Pvebus({"watch", "--original"}).out, "{\"event\":\"container_started\",\"id\":101}\n");
  EXPECT_THAT(Pvebus({"watch", "--output", "json"}).out, HasSubstr("\"event_id\":\"e1\""));
  const auto asked = bus_.Asked<bus::v1::WatchEventsRequest>("WatchEvents").at(0);
  EXPECT_EQ(asked.event_types_size(), 2);
  EXPECT_EQ(asked.max_events(), 1u);
  EXPECT_TRUE(asked.start_position().earliest());
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
