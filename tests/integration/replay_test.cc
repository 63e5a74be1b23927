// Doing again what the journal holds.
#include "absl/strings/str_format.h"
#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ReplayTest : public JournalFixture {
 protected:
  ReplayTest() { Start(); }
};

INSTANTIATE_TEST_SUITE_P(Journals, ReplayTest, ::testing::Values(Journal::kMemory, Journal::kSqlite), NameOfJournal);

TEST_P(ReplayTest, AReplayReachesAListenerThatHadNeverWantedTheEventsAndMarksEveryDelivery) {
  auto registration = RegistrationOf("containers");
  registration.add_event_types(event::v1::EVENT_TYPE_CONTAINER_STARTED);
  auto containers = Listen(registration);
  auto late = Listen("late");
  for (const char* name : {"a", "b", "c"}) {
    bus().PublishDurable(CustomEvent(name));
    late->Ack(late->NextDelivery().delivery_id());
  }
  bus::v1::ReplayEventsRequest request;
  request.add_listeners("containers");
  request.add_listeners("late");
  request.mutable_start_position()->set_sequence(2);
  request.set_validate_only(true);

  const auto counted = Replay(request);
  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(counted->event_count(), 2u);
  EXPECT_EQ(counted->delivery_count(), 4u);
  EXPECT_THAT(counted->replay_id(), IsEmpty());
  EXPECT_TRUE(containers->NoDeliveryWithin(milliseconds(200)));

  request.set_validate_only(false);
  const auto replayed = Replay(request);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_THAT(replayed->replay_id(), StartsWith("replay-"));
  for (RawListener* listener : {containers.get(), late.get()}) {
    for (const char* name : {"b", "c"}) {
      const auto delivery = listener->NextDelivery();
      EXPECT_EQ(delivery.event().custom().name(), name);
      EXPECT_EQ(delivery.replay_id(), replayed->replay_id());
      EXPECT_FALSE(delivery.dry_run());
      listener->Ack(delivery.delivery_id(), true);
      EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);
    }
  }
  // What comes after is no replay.
  bus().PublishDurable(ContainerStartedEvent(101));
  EXPECT_THAT(containers->NextDelivery().replay_id(), IsEmpty());
}

TEST_P(ReplayTest, ADryRunSaysSoOnEveryDelivery) {
  auto listener = Listen("careful");
  bus().PublishDurable(CustomEvent("a"));
  listener->Ack(listener->NextDelivery().delivery_id());
  bus::v1::ReplayEventsRequest request;
  request.add_listeners("careful");
  request.mutable_start_position()->set_earliest(true);
  request.set_dry_run(true);

  ASSERT_TRUE(Replay(request).ok());

  const auto delivery = listener->NextDelivery();
  EXPECT_TRUE(delivery.dry_run());
  EXPECT_THAT(delivery.replay_id(), StartsWith("replay-"));
}

TEST_P(ReplayTest, AReplayTakesOnlyWhatIsAskedFor) {
  auto listener = Listen("one");
  auto subject = CustomEvent("a");
  subject.set_subject("wanted");
  bus().PublishDurable(CustomEvent("a"));
  bus().PublishDurable(subject);
  bus().PublishDurable(ContainerStartedEvent(101));
  bus().PublishDurable(subject);
  bus::v1::ReplayEventsRequest request;
  request.add_listeners("one");
  request.mutable_start_position()->set_earliest(true);
  request.set_validate_only(true);
  const auto count = [&] { return Replay(request)->event_count(); };

  EXPECT_EQ(count(), 4u);
  request.set_filter("subject = wanted");
  EXPECT_EQ(count(), 2u);
  request.set_end_sequence(3);
  EXPECT_EQ(count(), 1u);
  request.set_filter("");
  request.add_event_types(event::v1::EVENT_TYPE_CONTAINER_STARTED);
  EXPECT_EQ(count(), 1u);
}

TEST_P(ReplayTest, ABadReplayIsRefusedAndDoesNothing) {
  auto listener = Listen("there");
  auto registration = RegistrationOf("fleeting");
  registration.set_ephemeral(true);
  auto fleeting = Listen(registration);
  bus().PublishDurable(CustomEvent("a"));
  listener->Ack(listener->NextDelivery().delivery_id());
  const auto refused = [&](const auto& set) {
    bus::v1::ReplayEventsRequest request;
    request.add_listeners("there");
    request.mutable_start_position()->set_earliest(true);
    set(request);
    return Replay(request).status();
  };

  EXPECT_THAT(refused([](auto& request) { request.clear_listeners(); }), IsFieldError("listeners"));
  EXPECT_THAT(refused([](auto& request) {
                for (int i = 0; i < 100; ++i) request.add_listeners(absl::StrFormat("n%d", i));
              }),
              IsFieldError("listeners"));
  EXPECT_THAT(refused([](auto& request) { request.add_listeners("there"); }), IsFieldError("listeners"));
  EXPECT_THAT(refused([](auto& request) { request.add_listeners("Not a name"); }),
              IsError(StatusCode::kInvalidArgument, "NAME_INVALID"));
  EXPECT_THAT(refused([](auto& request) { request.add_listeners("theer"); }),
              IsError(StatusCode::kNotFound, "LISTENER_NOT_FOUND"));
  EXPECT_THAT(refused([](auto& request) { request.add_listeners("fleeting"); }),
              IsError(StatusCode::kFailedPrecondition, "LISTENER_IS_EPHEMERAL"));
  EXPECT_THAT(refused([](auto& request) { request.clear_start_position(); }), IsFieldError("start_position"));
  EXPECT_THAT(refused([](auto& request) { request.mutable_start_position()->set_latest(true); }), IsFieldError("start_position"));
  EXPECT_THAT(refused([](auto& request) { request.mutable_start_position()->set_resume(true); }), IsFieldError("start_position"));
  EXPECT_THAT(refused([](auto& request) { request.set_filter("("); }), IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
  EXPECT_THAT(refused([](auto& request) { request.add_event_types(event::v1::EVENT_TYPE_UNSPECIFIED); }),
              IsFieldError("event_types"));
  EXPECT_THAT(refused([](auto& request) {
                request.mutable_start_position()->set_sequence(2);
                request.set_end_sequence(1);
              }),
              IsFieldError("end_sequence"));
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
}

TEST_P(ReplayTest, AReplayForAListenerThatIsAwaySurvivesTheBus) {
  if (!durable()) GTEST_SKIP() << "a journal in memory does not survive";
  LeaveDurably("away");
  PublishMany(300, CustomEvent("a"));
  {
    auto away = Listen("away");
    for (int i = 0; i < 300; ++i) away->Ack(away->NextDelivery().delivery_id());
    WaitFor("the backlog to be settled", [&] { return bus().GetListener("away")->backlog() == 0; });
  }
  bus::v1::ReplayEventsRequest request;
  request.add_listeners("away");
  request.mutable_start_position()->set_earliest(true);
  const auto replayed = Replay(request);
  ASSERT_TRUE(replayed.ok()) << replayed.status();

  Restart(SIGKILL);

  auto away = Listen("away");
  for (int i = 0; i < 300; ++i) {
    const auto delivery = away->NextDelivery();
    ASSERT_EQ(delivery.replay_id(), replayed->replay_id());
    ASSERT_EQ(delivery.event().sequence(), static_cast<uint64_t>(i + 1));
    away->Ack(delivery.delivery_id());
  }
}

}  // namespace
}  // namespace pvebus::testing
