// What the journal forgets, what it keeps for whom, and how those who come too late hear of it.
#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A journal forgets some events at once: so many more than the limit may be there.
constexpr uint64_t kSlack = 1024;

class RetentionTest : public JournalFixture {
 protected:
  event::v1::SystemEvent LargeEvent(size_t bytes) {
    auto event = CustomEvent("large");
    (*event.mutable_custom()->mutable_data())["k"].set_string_value(std::string(bytes, 'x'));
    return event;
  }
  absl::StatusOr<bus::v1::SeekListenerResponse> SeekToLatest(const std::string& listener) {
    bus::v1::SeekListenerRequest request;
    request.set_name(listener);
    request.mutable_position()->set_latest(true);
    return Call(&bus::v1::RegistryService::Stub::SeekListener, bus().registry(), request);
  }
};

INSTANTIATE_TEST_SUITE_P(Journals, RetentionTest, ::testing::Values(Journal::kMemory, Journal::kSqlite), NameOfJournal);

TEST_P(RetentionTest, ByCountTheOldestAreForgottenAndWhoeverAsksForThemHearsSo) {
  Start({"--retention-count", "1000"});
  const uint64_t last = PublishMany(6000, CustomEvent("x"));

  const auto status = Status();

  EXPECT_GE(status.event_count(), 1000u);
  EXPECT_LE(status.event_count(), 1000 + kSlack);
  EXPECT_EQ(status.last_sequence(), last);
  const uint64_t first = status.first_sequence();
  EXPECT_EQ(first + status.event_count(), last + 1) << "BrokeSequences";
  const auto compacted = [&](const absl::Status& answer) {
    EXPECT_THAT(answer, IsError(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED"));
    EXPECT_EQ(ErrorMetadata(answer)["first_sequence"], absl::StrFormat("%d", first));
  };
  bus::v1::ListEventsRequest list;
  list.mutable_start_position()->set_sequence(1);
  compacted(ListEvents(list).status());
  bus::v1::WatchEventsRequest watch;
  watch.mutable_start_position()->set_sequence(1);
  watch.set_max_events(1);
  compacted(Watch(watch).second);
  auto registration = RegistrationOf("late");
  registration.mutable_start_position()->set_sequence(1);
  RawListener late(bus().address(), registration);
  compacted(late.WaitEnd());
  auto there = Listen("there");
  bus::v1::ReplayEventsRequest replay;
  replay.add_listeners("there");
  replay.mutable_start_position()->set_sequence(1);
  compacted(Replay(replay).status());
  bus::v1::GetEventRequest get;
  get.set_sequence(1);
  EXPECT_THAT(Call(&JournalStub::GetEvent, bus().journal(), get).status(), IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
  // What is there is found from its beginning.
  list.mutable_start_position()->set_earliest(true);
  EXPECT_EQ(ListEvents(list)->events(0).sequence(), first);
  watch.mutable_start_position()->set_earliest(true);
  EXPECT_EQ(Watch(watch).first.at(0).sequence(), first);
}

TEST_P(RetentionTest, BySizeTheOldestAreForgotten) {
  Start({"--retention-size", "1"});
  for (int i = 0; i < 10; ++i) PublishMany(50, LargeEvent(10'000));

  const auto status = Status();

  EXPECT_GE(status.event_bytes(), 1u << 20);
  EXPECT_LE(status.event_bytes(), 2u << 20);
  EXPECT_GT(status.first_sequence(), 1u);
}

TEST_P(RetentionTest, ByAgeTheyAreForgottenThoughNothingElseHappens) {
  Start({"--retention-age", "1s"});
  PublishMany(10, CustomEvent("x"));

  WaitFor("the events to be forgotten", [&] { return Status().event_count() == 0; });

  EXPECT_EQ(Status().first_sequence(), 0u);
  EXPECT_EQ(Status().last_sequence(), 10u);
  bus().PublishDurable(CustomEvent("y"));
  EXPECT_EQ(Status().last_sequence(), 11u) << "sequences go on";
}

TEST_P(RetentionTest, WhatADurableListenerHasNotSettledIsKept) {
  Start({"--retention-count", "100"});
  LeaveDurably("away");

  PublishMany(2000, CustomEvent("x"));

  EXPECT_EQ(Status().event_count(), 2000u);
  auto away = Listen("away");
  for (uint64_t sequence = 1; sequence <= 2000; ++sequence) {
    const auto delivery = away->NextDelivery();
    ASSERT_EQ(delivery.event().sequence(), sequence);
    away->Ack(delivery.delivery_id());
  }
  WaitFor("the events to be forgotten", [&] {
    PublishMany(64, CustomEvent("x"));
    for (int i = 0; i < 64; ++i) away->Ack(away->NextDelivery().delivery_id());
    return Status().event_count() <= 100 + kSlack;
  });
  EXPECT_EQ(Status().lost_deliveries(), 0u);
}

TEST_P(RetentionTest, AListenerThatLagsTooFarBehindLosesTheOldestAndEverybodyCanSeeIt) {
  const std::vector<std::string> flags = {"--retention-count", "100", "--retention-backlog", "1000"};
  Start(flags);
  LeaveDurably("away");
  const uint64_t last = PublishMany(4000, CustomEvent("x"));

  const auto status = Status();
  const uint64_t first = status.first_sequence();
  EXPECT_GE(status.event_count(), 1000u);
  EXPECT_LE(status.event_count(), 1000 + kSlack);
  EXPECT_EQ(status.lost_deliveries(), first - 1);
  ASSERT_GT(status.warnings_size(), 0);
  EXPECT_THAT(status.warnings(status.warnings_size() - 1), HasSubstr("BACKLOG_TRUNCATED"));
  const auto check = [&] {
    const auto listener = bus().GetListener("away");
    ASSERT_TRUE(listener.ok()) << listener.status();
    ASSERT_GT(listener->incidents_size(), 0);
    const auto& incident = listener->incidents(listener->incidents_size() - 1);
    EXPECT_EQ(incident.kind(), "BACKLOG_TRUNCATED");
    EXPECT_EQ(incident.last_sequence(), first - 1);
    EXPECT_TRUE(incident.has_time());
    EXPECT_FALSE(incident.message().empty());
    EXPECT_EQ(listener->backlog(), last + 1 - first);
    const auto all = Call(&bus::v1::RegistryService::Stub::ListListeners, bus().registry(), bus::v1::ListListenersRequest());
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_THAT(all->listeners(0).incidents(), IsEmpty()) << "only in GetListener";
  };
  check();
  if (durable()) {
    Restart(SIGTERM, flags);
    check();
  }
  auto away = Listen("away");
  for (uint64_t sequence = first; sequence <= last; ++sequence) {
    const auto delivery = away->NextDelivery();
    ASSERT_EQ(delivery.event().sequence(), sequence) << "what is left comes whole";
    away->Ack(delivery.delivery_id());
  }
  WaitFor("the backlog to be settled", [&] { return bus().GetListener("away")->backlog() == 0; });
}

TEST_P(RetentionTest, ASeekIsRemembered) {
  Start();
  LeaveDurably("away");
  PublishMany(5, CustomEvent("x"));

  const auto moved = SeekToLatest("away");

  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->skipped_count(), 5u);
  EXPECT_EQ(moved->next_sequence(), 6u);
  const auto listener = bus().GetListener("away");
  ASSERT_THAT(listener->incidents(), SizeIs(1));
  EXPECT_EQ(listener->incidents(0).kind(), "SEEK");
}

TEST_P(RetentionTest, APageTokenOfWhatIsForgottenSaysSo) {
  Start({"--retention-count", "100"});
  PublishMany(50, CustomEvent("x"));
  bus::v1::ListEventsRequest request;
  request.set_page_size(10);
  request.set_page_token(ListEvents(request)->next_page_token());

  PublishMany(4000, CustomEvent("x"));

  EXPECT_THAT(ListEvents(request).status(), IsError(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED"));
}

TEST_P(RetentionTest, AWatcherThatReadsTooSlowlyHearsOfTheHoleInsteadOfJumpingOverIt) {
  Start({"--retention-size", "1"});
  PublishMany(1, LargeEvent(100'000));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  bus::v1::WatchEventsRequest request;
  request.mutable_start_position()->set_earliest(true);
  const auto stream = bus().journal().WatchEvents(&context, request);
  bus::v1::WatchEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));

  for (int i = 0; i < 40; ++i) PublishMany(10, LargeEvent(100'000));

  uint64_t last = 1;
  while (stream->Read(&response)) ASSERT_EQ(response.event().sequence(), ++last) << "BrokeNoGap";
  const auto end = FromGrpcStatus(stream->Finish());
  EXPECT_THAT(end, IsError(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED"));
  EXPECT_LT(last, 400u);
}

TEST_P(RetentionTest, AJournalThatAListenerKeepsFullSaysWhoseFaultItIsAndGoesOnWhenThatIsSettled) {
  Start({"--journal-limit", "1"});
  LeaveDurably("sleeper");
  absl::Status full;
  WaitFor("the journal to be full", [&] {
    full = bus().Publish(RequestOf(LargeEvent(20'000), bus::v1::WAIT_POLICY_DURABLE)).status();
    return !full.ok();
  });
  EXPECT_THAT(full, IsError(StatusCode::kResourceExhausted, "JOURNAL_FULL"));
  const auto status = Status();
  ASSERT_GT(status.warnings_size(), 0);
  EXPECT_THAT(status.warnings(status.warnings_size() - 1),
              ::testing::AllOf(HasSubstr("sleeper"), HasSubstr("--retention-backlog")));

  ASSERT_TRUE(SeekToLatest("sleeper").ok());

  EXPECT_TRUE(bus().Publish(RequestOf(LargeEvent(20'000), bus::v1::WAIT_POLICY_DURABLE)).ok());
}

TEST_P(RetentionTest, AnotherLimitAfterARestartIsInForce) {
  if (!durable()) GTEST_SKIP() << "a journal in memory does not survive";
  Start();
  const uint64_t last = PublishMany(4000, CustomEvent("x"));
  EXPECT_EQ(Status().event_count(), 4000u);

  Restart(SIGTERM, {"--retention-count", "500"});
  PublishMany(512, CustomEvent("x"));

  WaitFor("the oldest to be forgotten", [&] { return Status().event_count() <= 500 + kSlack; });
  EXPECT_EQ(Status().last_sequence(), last + 512);
  Restart(SIGKILL);
  EXPECT_GT(Status().first_sequence(), 1u) << "what is forgotten stays so";
}

TEST(RetentionFlagsTest, ABadLimitIsRefusedWithWhatIsAllowed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--retention-age", "5x"}, "30d"},
      {{"--retention-age", "d"}, "30d"},
      {{"--retention-age", "12"}, "30d"},
      {{"--retention-age", "99999999w"}, "30d"},
      {{"--retention-age", "-1d"}, "30d"},
      {{"--retention-size", "much"}, "--retention-size"},
      {{"--retention-count", "-1"}, "--retention-count: Value -1 not in range 0 to 1000000000000"},
      {{"--retention-backlog", "x"}, "not in range 0 to 1000000000000"},
      {{"--journal-limit", "0"}, "--journal-limit"}};
  for (const auto& [flags, said] : cases) {
    std::vector<std::string> line = {ProgramPath("bus-service"), "--journal=memory", "--listen", "127.0.0.1:0"};
    line.insert(line.end(), flags.begin(), flags.end());
    Process process(line);
    EXPECT_EQ(process.WaitExit(std::chrono::seconds(20)), 2) << flags[0] << " " << flags[1];
    EXPECT_THAT(process.StandardError(), HasSubstr(said)) << flags[0] << " " << flags[1];
  }
}

}  // namespace
}  // namespace pvebus::testing
