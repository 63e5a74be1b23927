#include "cli/testing/commands_fixture.h"
#include "pvebus/bus/v1/journal_service.pb.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

event::v1::SystemEvent EventAt(uint64_t sequence) {
  event::v1::SystemEvent event;
  event.set_event_id("e" + std::to_string(sequence));
  event.set_sequence(sequence);
  event.mutable_publish_time()->set_seconds(1'795'435'200);
  event.mutable_container_started()->set_id(101);
  return event;
}

// Lists the events of the journal and goes on with those that come.
class EventsCommandTest : public CommandsFixture {
 protected:
  using Request = bus::v1::ListEventsRequest;

  static bus::v1::ListEventsResponse Page(const std::vector<uint64_t>& sequences, const std::string& next_token,
                                          uint64_t next_sequence) {
    bus::v1::ListEventsResponse page;
    for (const uint64_t sequence : sequences) *page.add_events() = EventAt(sequence);
    page.set_next_page_token(next_token);
    page.set_next_sequence(next_sequence);
    return page;
  }
  std::vector<Request> Asked() { return bus_.Asked<Request>("ListEvents"); }
};

TEST_F(EventsCommandTest, EveryPageIsAskedForAlsoAfterAnEmptyOne) {
  bus_.Answer("ListEvents", Page({1, 2}, "a", 3));
  bus_.AnswerThen("ListEvents", Page({}, "b", 5000));
  bus_.AnswerThen("ListEvents", Page({5001}, "", 5002));

  const RunOutcome run = Pvebus({"events", "--type", "container_started,custom", "--filter", "source = \"pve*\""});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("#1 "), HasSubstr("#2 "), HasSubstr("#5001"), HasSubstr("container 101 started"),
                             HasSubstr("2026-11-23"), HasSubstr("[e5001]")));
  ASSERT_EQ(Asked().size(), 3u);
  EXPECT_EQ(Asked()[0].page_token(), "");
  EXPECT_EQ(Asked()[2].page_token(), "b");
  EXPECT_EQ(Asked()[2].event_types_size(), 2);
  EXPECT_EQ(Asked()[2].filter(), "source = \"pve*\"");
  EXPECT_EQ(Asked()[2].page_size(), 1000);
  EXPECT_FALSE(Asked()[0].has_start_position());
}

TEST_F(EventsCommandTest, JsonIsADocumentPerLine) {
  bus_.Answer("ListEvents", Page({1, 2}, "", 3));

  const RunOutcome run = Pvebus({"events", "--output", "json"});

  EXPECT_THAT(run.out, testing::MatchesRegex("\\{\"event_id\":\"e1\".*\\}\n\\{\"event_id\":\"e2\".*\\}\n"));
  EXPECT_EQ(Pvebus({"events", "--original", "--limit", "1"}).out, "{\"event\":\"container_started\",\"id\":101}\n");
}

TEST_F(EventsCommandTest, ALimitEndsTheListAndSaysWhereItGoesOn) {
  bus_.Answer("ListEvents", Page({4, 6}, "a", 7));

  const RunOutcome run = Pvebus({"events", "--limit", "2", "--from", "4"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  ASSERT_EQ(Asked().size(), 1u);
  EXPECT_EQ(Asked()[0].page_size(), 2);
  EXPECT_EQ(Asked()[0].start_position().sequence(), 4u);
  EXPECT_THAT(run.err, HasSubstr("there may be more: --from 7"));
}

TEST_F(EventsCommandTest, LostEventsAreNamedOnceWhereTheyWouldBe) {
  const auto lose = [](auto& response, uint64_t first, uint64_t last) {
    response.add_lost()->set_first_sequence(first);
    response.mutable_lost(response.lost_size() - 1)->set_last_sequence(last);
  };
  auto page = Page({1, 4, 9}, "", 12);
  lose(page, 2, 3);
  lose(page, 5, 8);
  lose(page, 10, 11);
  bus_.Answer("ListEvents", page);
  bus::v1::WatchEventsResponse next;
  *next.mutable_event() = EventAt(15);
  lose(next, 12, 14);
  bus_.Answer("WatchEvents", next);

  const RunOutcome all = Pvebus({"events"});
  const RunOutcome limited = Pvebus({"events", "--limit", "2"});
  const RunOutcome json = Pvebus({"events", "--output", "json", "--limit", "2"});
  const RunOutcome watched = Pvebus({"watch", "--from", "12"});

  EXPECT_EQ(all.exit_code, kAllSucceeded);
  EXPECT_THAT(all.err, AllOf(HasSubstr("events 2..3 were lost"), HasSubstr("events 5..8 were lost"),
                             HasSubstr("events 10..11 were lost")));
  EXPECT_THAT(all.out, Not(HasSubstr("lost")));
  EXPECT_THAT(limited.err, AllOf(HasSubstr("events 2..3 were lost"), Not(HasSubstr("5..8"))));
  EXPECT_EQ(json.err, "{\"lost\":{\"first_sequence\":\"2\",\"last_sequence\":\"3\"}}\n");
  EXPECT_THAT(watched.err, HasSubstr("events 12..14 were lost"));
  EXPECT_THAT(watched.out, HasSubstr("#15"));
}

TEST_F(EventsCommandTest, FollowGoesOnFromWhereTheListEnded) {
  bus_.Answer("ListEvents", Page({1}, "a", 2));
  bus_.AnswerThen("ListEvents", Page({}, "", 9));
  bus::v1::WatchEventsResponse next;
  *next.mutable_event() = EventAt(9);
  bus_.Answer("WatchEvents", next);

  const RunOutcome run = Pvebus({"events", "--follow", "--filter", "f", "--type", "custom", "--limit", "2"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("#1 "), HasSubstr("#9 ")));
  const auto watched = bus_.Asked<bus::v1::WatchEventsRequest>("WatchEvents");
  ASSERT_EQ(watched.size(), 1u);
  EXPECT_EQ(watched[0].start_position().sequence(), 9u);
  EXPECT_EQ(watched[0].filter(), "f");
  EXPECT_EQ(watched[0].event_types_size(), 1);
  EXPECT_EQ(watched[0].max_events(), 1u);
}

TEST_F(EventsCommandTest, ALimitThatTheListReachesIsNotFollowed) {
  bus_.Answer("ListEvents", Page({1}, "", 2));

  EXPECT_EQ(Pvebus({"events", "--follow", "--limit", "1"}).exit_code, kAllSucceeded);

  EXPECT_TRUE(bus_.Asked<bus::v1::WatchEventsRequest>("WatchEvents").empty());
}

TEST_F(EventsCommandTest, WhoWasCutOffIsToldHowToGoOnWithoutAGap) {
  bus_.Answer("ListEvents", Page({1}, "", 2));
  bus::v1::WatchEventsResponse next;
  *next.mutable_event() = EventAt(41);
  bus_.Answer("WatchEvents", {&next}, ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "DRAINING", "shutting down")));

  const RunOutcome run = Pvebus({"events", "--follow"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.out, HasSubstr("#41"));
  EXPECT_THAT(run.err, AllOf(HasSubstr("DRAINING"), HasSubstr("to go on without a gap: --from 42")));
}

TEST_F(EventsCommandTest, AnEndIsASequenceOrTheEventBeforeATime) {
  bus_.Answer("ListEvents", Page({7}, "more", 8));  // the first one of noon
  bus_.AnswerThen("ListEvents", Page({5, 6}, "", 7));

  const RunOutcome run = Pvebus({"events", "--from", "5", "--to", "2026-11-23T12:00:00Z"});
  Pvebus({"events", "--to", "6"});
  Pvebus({"events", "--to", "latest"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  ASSERT_EQ(Asked().size(), 4u);
  EXPECT_EQ(Asked()[0].start_position().time().seconds(), 1'795'435'200);
  EXPECT_EQ(Asked()[0].page_size(), 1);
  EXPECT_EQ(Asked()[1].start_position().sequence(), 5u);
  EXPECT_EQ(Asked()[1].end_sequence(), 6u);
  EXPECT_EQ(Asked()[2].end_sequence(), 6u);
  EXPECT_EQ(Asked()[3].end_sequence(), 0u);
}

TEST_F(EventsCommandTest, WhatEndsBeforeTheFirstEventIsEmptyAndNotTheWholeJournal) {
  bus_.Answer("ListEvents", Page({1}, "", 2));

  const RunOutcome run = Pvebus({"events", "--to", "2026-11-23T12:00:00Z"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(Asked().size(), 1u);
}

TEST_F(EventsCommandTest, HowLongAgoIsAPlace) {
  bus_.Answer("ListEvents", Page({}, "", 1));
  const auto before = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - std::chrono::minutes(15));

  Pvebus({"events", "--from", "-15m"});

  const auto after = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - std::chrono::minutes(15));
  const int64_t asked = Asked().at(0).start_position().time().seconds();
  EXPECT_GE(asked, before);
  EXPECT_LE(asked, after);
}

TEST_F(EventsCommandTest, ARefusedListIsExplained) {
  bus_.Answer("ListEvents", {},
              ToGrpcStatus(MakeError(absl::StatusCode::kOutOfRange, "SEQUENCE_COMPACTED", "no longer there",
                                     {{"first_sequence", "100"}})));

  const RunOutcome run = Pvebus({"events", "--from", "5"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("SEQUENCE_COMPACTED"), HasSubstr("first_sequence: 100"), HasSubstr("--from earliest"),
                             Not(HasSubstr("without a gap"))));
}

// One event, with everything that is known of it.
class EventCommandTest : public CommandsFixture {
 protected:
  EventCommandTest() {
    *response_.mutable_event() = EventAt(7);
    response_.mutable_event()->set_source("pve1");
    response_.mutable_event()->mutable_causation()->set_parent_event_id("e3");
    (*response_.mutable_event()->mutable_attributes())["site"] = "east";
    response_.set_request_id("r1");
    response_.mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
    response_.mutable_result()->set_matched_count(1);
    response_.mutable_result()->set_succeeded_count(1);
    bus::v1::ListenerResult& row = *response_.mutable_result()->add_listener_results();
    row.set_listener("storage-hooks");
    row.set_state(bus::v1::DELIVERY_STATE_SUCCEEDED);
    row.set_attempt(2);
    row.add_hook_results()->set_hook("logger");
    bus::v1::DeliveryAttempt& attempt = *response_.add_attempts();
    attempt.set_listener("storage-hooks");
    attempt.set_attempt(1);
    attempt.set_instance_id("i1");
    attempt.set_replay_id("replay-9");
    attempt.mutable_error()->set_code(14);
    attempt.mutable_error()->set_reason("NFS_DOWN");
    attempt.mutable_error()->set_message("NAS does not answer");
    bus_.Answer("GetEvent", response_);
  }

  bus::v1::GetEventResponse response_;
};

TEST_F(EventCommandTest, TheEventItsRowsItsHooksAndItsFailedAttemptsAreShown) {
  const RunOutcome run = Pvebus({"event", "e7"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("stored           sequence 7, 2026-11-23"), HasSubstr("source           pve1\n"),
                             HasSubstr("caused by        e3"), HasSubstr("attributes       site=east\n"),
                             HasSubstr("request          r1\n"), HasSubstr(R"({"event":"container_started","id":101})"),
                             HasSubstr("outcome          SUCCEEDED: 1 of 1 listeners succeeded\n"), HasSubstr("  logger")));
  EXPECT_THAT(run.out, AllOf(HasSubstr("attempts without success\n"), HasSubstr("replay-9"),
                             HasSubstr("UNAVAILABLE NFS_DOWN: NAS does not answer")));
}

TEST_F(EventCommandTest, AllThatAProgramOfAHookWroteIsShown) {
  bus::v1::HookResult& hook = *response_.mutable_result()->mutable_listener_results(0)->mutable_hook_results(0);
  hook.set_exit_code(0);
  hook.set_output("adding route\ndone\n");
  bus_.Answer("GetEvent", response_);

  const RunOutcome run = Pvebus({"event", "e7"});

  EXPECT_THAT(run.out, HasSubstr("exit 0\n      | adding route\n      | done\n"));
}

TEST_F(EventCommandTest, ANumberIsASequenceUnlessItIsSaidToBeAnId) {
  Pvebus({"event", "7"});
  Pvebus({"event", "7a"});
  Pvebus({"event", "--event-id", "7"});
  Pvebus({"event", "99999999999999999999999"});

  const auto asked = bus_.Asked<bus::v1::GetEventRequest>("GetEvent");
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].sequence(), 7u);
  EXPECT_EQ(asked[1].event_id(), "7a");
  EXPECT_EQ(asked[2].event_id(), "7");
  EXPECT_EQ(asked[3].event_id(), "99999999999999999999999");
}

TEST_F(EventCommandTest, JsonIsTheResponseAndTheExitStatusTellsHowItStands) {
  response_.mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_PARTIAL);
  bus_.Answer("GetEvent", response_);

  const RunOutcome run = Pvebus({"event", "e7", "--output", "json"});

  EXPECT_EQ(run.exit_code, kListenerFailed);
  EXPECT_THAT(run.out, AllOf(HasSubstr("\"request_id\": \"r1\""), HasSubstr("\"replay_id\": \"replay-9\"")));
}

TEST_F(EventCommandTest, ALongPayloadIsCutForEyes) {
  for (int i = 0; i < 500; ++i) response_.mutable_event()->mutable_network_applied()->add_changes()->set_target("vmbr0");
  bus_.Answer("GetEvent", response_);

  const RunOutcome run = Pvebus({"event", "e7"});

  EXPECT_THAT(run.out, HasSubstr("bytes in all; --output json shows them)"));
  EXPECT_LT(run.out.size(), 5000u);
}

TEST_F(EventCommandTest, AnEventThatIsNotThereIsExplained) {
  bus_.Answer("GetEvent", {}, ToGrpcStatus(MakeError(absl::StatusCode::kNotFound, "EVENT_NOT_FOUND", "no event e8")));

  const RunOutcome run = Pvebus({"event", "e8"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("EVENT_NOT_FOUND"), HasSubstr("next: ")));
}

class TraceCommandTest : public CommandsFixture {};

TEST_F(TraceCommandTest, TheTreeAndTheResponseAreShown) {
  bus::v1::TraceEventResponse response;
  *response.add_nodes()->mutable_event() = EventAt(7);
  response.mutable_nodes(0)->mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  bus_.Answer("TraceEvent", response);

  const RunOutcome table = Pvebus({"trace", "e7"});
  const RunOutcome json = Pvebus({"trace", "e7", "--output", "json"});

  EXPECT_EQ(table.exit_code, kAllSucceeded) << table.err;
  EXPECT_THAT(table.out, HasSubstr("#7 container 101 started"));
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"nodes\": ["), HasSubstr("\"truncated\": false")));
  EXPECT_EQ(bus_.Asked<bus::v1::TraceEventRequest>("TraceEvent").at(0).event_id(), "e7");
}

TEST_F(TraceCommandTest, SomethingThatFailedAnywhereIsInTheExitStatus) {
  bus::v1::TraceEventResponse response;
  response.add_nodes()->mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  response.add_nodes()->mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);
  bus_.Answer("TraceEvent", response);
  EXPECT_EQ(Pvebus({"trace", "e7"}).exit_code, kAllSucceeded);

  response.add_nodes()->mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_PENDING);
  bus_.Answer("TraceEvent", response);
  EXPECT_EQ(Pvebus({"trace", "e7"}).exit_code, kListenerFailed);
}

// Delivers events again.
class ReplayCommandTest : public CommandsFixture {
 protected:
  ReplayCommandTest() {
    response_.set_replay_id("replay-9");
    response_.set_event_count(12);
    response_.set_delivery_count(24);
    bus_.Answer("ReplayEvents", response_);
  }
  bus::v1::ReplayEventsRequest Asked() { return bus_.Asked<bus::v1::ReplayEventsRequest>("ReplayEvents").at(0); }

  bus::v1::ReplayEventsResponse response_;
};

TEST_F(ReplayCommandTest, WhatWasToldIsAskedForAndWhatWasDoneIsSaid) {
  const RunOutcome run = Pvebus(
      {"replay", "--to", "a,b", "--to", "c", "--from", "5", "--until", "16", "--type", "custom", "--filter", "f", "--dry-run"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(Asked().listeners(), testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(Asked().start_position().sequence(), 5u);
  EXPECT_EQ(Asked().end_sequence(), 16u);
  EXPECT_EQ(Asked().event_types_size(), 1);
  EXPECT_EQ(Asked().filter(), "f");
  EXPECT_TRUE(Asked().dry_run());
  EXPECT_FALSE(Asked().validate_only());
  EXPECT_THAT(run.out, AllOf(HasSubstr("replay-9"), HasSubstr("12\n"), HasSubstr("24, to a, b, c; they say what they would do"),
                             HasSubstr("pvebus listeners a")));
}

TEST_F(ReplayCommandTest, ValidatedOnlyItSaysThatNothingIsDelivered) {
  const RunOutcome run = Pvebus({"replay", "--to", "a", "--from", "earliest", "--validate-only"});

  EXPECT_TRUE(Asked().validate_only());
  EXPECT_TRUE(Asked().start_position().earliest());
  EXPECT_THAT(run.out, AllOf(HasSubstr("nothing is delivered"), Not(HasSubstr("to watch it"))));
}

TEST_F(ReplayCommandTest, NothingToReplayIsSaid) {
  bus_.Answer("ReplayEvents", bus::v1::ReplayEventsResponse());

  EXPECT_THAT(Pvebus({"replay", "--to", "a", "--from", "5"}).out, HasSubstr("nothing to replay"));
}

TEST_F(ReplayCommandTest, APartThatEndsBeforeTheFirstEventIsNotAskedFor) {
  bus::v1::ListEventsResponse first;
  *first.add_events() = EventAt(1);
  bus_.Answer("ListEvents", first);

  const RunOutcome run = Pvebus({"replay", "--to", "a", "--from", "earliest", "--until", "2026-11-23T12:00:00Z"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, HasSubstr("nothing to replay"));
  EXPECT_TRUE(bus_.Asked<bus::v1::ReplayEventsRequest>("ReplayEvents").empty());
}

TEST_F(ReplayCommandTest, JsonIsTheResponseAndARefusalSaysWhatToDo) {
  EXPECT_THAT(Pvebus({"replay", "--to", "a", "--from", "5", "--output", "json"}).out,
              AllOf(HasSubstr("\"replay_id\": \"replay-9\""), HasSubstr("\"event_count\": \"12\"")));
  bus_.Answer("ReplayEvents", {}, ToGrpcStatus(MakeError(absl::StatusCode::kOutOfRange, "REPLAY_TOO_LARGE", "200000 events")));

  const RunOutcome run = Pvebus({"replay", "--to", "a", "--from", "5"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("REPLAY_TOO_LARGE"), HasSubstr("next: replay it in parts")));
}

}  // namespace
}  // namespace pvebus::cli
