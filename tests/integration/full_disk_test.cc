// A disk without room, for real: the bus says so, goes on with what needs none, and with the rest when there is room again.
#include "sdk/base/error.h"
#include "tests/integration/journal_fixture.h"
#include "tests/support/tiny_file_system.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class FullDiskTest : public JournalFixture {
 protected:
  void SetUp() override {
    const std::string why = disk_.Mount(directory_.path(), 32);
    if (!why.empty()) GTEST_SKIP() << "NOT PROVEN: a full disk. No file system of its own for the test: " << why;
  }
  bus::v1::PublishRequest Large() {
    auto event = KeyedEvent("large");
    (*event.mutable_custom()->mutable_data())["k"].set_string_value(std::string(20'000, 'x'));
    return RequestOf(event, bus::v1::WAIT_POLICY_DURABLE);
  }

  TinyFileSystem disk_;
};

INSTANTIATE_TEST_SUITE_P(Journals, FullDiskTest, ::testing::Values(Journal::kSqlite), NameOfJournal);

TEST_P(FullDiskTest, PublishersAreToldSettlementsGoOnAndPublishingResumesByItself) {
  Start();
  auto there = Listen("there");
  const auto held = bus().Publish(RequestOf(CustomEvent("held"), bus::v1::WAIT_POLICY_DURABLE));
  ASSERT_TRUE(held.ok()) << held.status();
  const auto confirmed = bus().Publish(RequestOf(KeyedEvent("other"), bus::v1::WAIT_POLICY_DURABLE));
  ASSERT_TRUE(confirmed.ok()) << confirmed.status();
  const auto deliveries = there->NextDeliveries(2);
  uint64_t last = confirmed->result().sequence();

  disk_.Fill();
  absl::Status full;
  const auto publish_until_full = [&](const bus::v1::PublishRequest& request) {
    WaitFor("the disk to be full", [&] {
      const auto response = bus().Publish(request);
      if (response.ok()) last = response->result().sequence();
      full = response.status();
      return !full.ok();
    });
  };
  publish_until_full(Large());
  publish_until_full(RequestOf(KeyedEvent("small"), bus::v1::WAIT_POLICY_DURABLE));  // into what was too little for that

  EXPECT_THAT(full, IsError(StatusCode::kResourceExhausted, "JOURNAL_FULL"));
  EXPECT_THAT(std::string(full.message()), HasSubstr("disk"));
  EXPECT_TRUE(RetryDelay(full).has_value());
  there->Ack(deliveries[0].delivery_id());
  WaitFor("the acknowledgement",
          [&] { return RowOf(bus().Result(held->result().event_id()), "there").state() == bus::v1::DELIVERY_STATE_SUCCEEDED; });
  there->Ack(deliveries[1].delivery_id(), true);
  bus::v1::ListEventsRequest newest;
  newest.mutable_start_position()->set_sequence(last);
  const auto listed = ListEvents(newest);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->events_size(), 1) << "reading goes on";
  // All but what was settled just now, and cannot be written down: what the files say of it is old.
  EXPECT_THAT(GetEvent(held->result().event_id()).status(), IsError(StatusCode::kResourceExhausted, "JOURNAL_FULL"));
  EXPECT_FALSE(Status().read_only()) << "full is not damaged";
  EXPECT_THAT(bus().Publish(Large()).status(), IsError(StatusCode::kResourceExhausted, "JOURNAL_FULL"));

  disk_.MakeRoom();

  EXPECT_EQ(there->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED) << "now it is safe";
  absl::StatusOr<bus::v1::PublishResponse> again;
  WaitFor("publishing to go on", [&] {
    again = bus().Publish(Large());
    return again.ok();
  });
  EXPECT_EQ(again->result().sequence(), last + 1) << "BrokeSequences";
  EXPECT_TRUE(GetEvent(held->result().event_id()).ok());
  Restart(SIGKILL);
  EXPECT_EQ(Status().last_sequence(), last + 1);
  EXPECT_FALSE(Status().read_only());
  EXPECT_EQ(RowOf(bus().Result(confirmed->result().event_id()), "there").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
  bus().ExpectAlive();
}

TEST_P(FullDiskTest, ABusThatStartsOnAFullDiskSaysSoAndTakesNothingForDamaged) {
  Start();
  PublishMany(10, CustomEvent("x"));
  bus().process().Signal(SIGTERM);
  ASSERT_EQ(bus().process().WaitExit(std::chrono::seconds(20)), 0);
  disk_.Fill();

  Process starting({ProgramPath("bus-service"), "--listen", "127.0.0.1:0", "--data-dir", directory_.path() + "/bus"});

  EXPECT_EQ(starting.WaitExit(std::chrono::seconds(20)), 1);
  EXPECT_THAT(starting.StandardError(), ::testing::AllOf(HasSubstr("full"), ::testing::Not(HasSubstr("damaged"))));
  disk_.MakeRoom();
  Start();
  EXPECT_EQ(Status().last_sequence(), 10u);
  bus().ExpectAlive();
}

}  // namespace
}  // namespace pvebus::testing
