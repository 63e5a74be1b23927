// What an operator sees and does.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using bus::v1::LISTENER_STATE_CONNECTED;
using bus::v1::LISTENER_STATE_PAUSED;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Registry = bus::v1::RegistryService::Stub;

class OperationsTest : public ::testing::Test {
 protected:
  std::unique_ptr<RawListener> Listen(const bus::v1::Registration& registration) {
    auto listener = std::make_unique<RawListener>(bus_.address(), registration);
    listener->WaitRegistered();
    return listener;
  }
  std::unique_ptr<RawListener> Listen(const std::string& name) { return Listen(RegistrationOf(name)); }
  template <typename Request>
  static Request Named(const std::string& name, const std::string& etag = "") {
    Request request;
    request.set_name(name);
    request.set_etag(etag);
    return request;
  }
  absl::StatusOr<bus::v1::ListListenersResponse> List(const std::string& filter, int page_size = 0,
                                                      const std::string& token = "") {
    bus::v1::ListListenersRequest request;
    request.set_filter(filter);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return Call(&Registry::ListListeners, bus_.registry(), request);
  }
  static std::vector<std::string> Names(const absl::StatusOr<bus::v1::ListListenersResponse>& response) {
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> names;
    if (response.ok()) {
      for (const auto& listener : response->listeners()) names.push_back(listener.name());
    }
    return names;
  }
  absl::StatusOr<bus::v1::SeekListenerResponse> Seek(const std::string& name, const bus::v1::StartPosition& position,
                                                     bool validate_only = false) {
    auto request = Named<bus::v1::SeekListenerRequest>(name);
    *request.mutable_position() = position;
    request.set_validate_only(validate_only);
    return Call(&Registry::SeekListener, bus_.registry(), request);
  }

  BusProcess bus_;
};

TEST_F(OperationsTest, AListenerIsShownAsItIs) {
  auto registration = QuickRetries(RegistrationOf("shown"), 7);
  registration.set_instance_id("shown@node1");
  registration.set_node("node1");
  registration.set_filter("event_type = custom");
  registration.add_event_types(event::v1::EVENT_TYPE_CUSTOM);
  registration.set_max_in_flight(5);
  (*registration.mutable_labels())["role"] = "test";
  auto listener = Listen(registration);
  bus_.PublishDurable(KeyedEvent("a"));
  bus_.PublishDurable(KeyedEvent("a"));
  listener->NextDelivery();

  const auto shown = bus_.GetListener("shown");

  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->state(), LISTENER_STATE_CONNECTED);
  EXPECT_EQ(shown->instance_id(), "shown@node1");
  EXPECT_EQ(shown->node(), "node1");
  EXPECT_THAT(shown->peer(), HasSubstr("127.0.0.1"));
  EXPECT_EQ(shown->session_epoch(), 1u);
  EXPECT_EQ(shown->filter(), "event_type = custom");
  EXPECT_EQ(shown->event_types_size(), 1);
  EXPECT_EQ(shown->delivery_policy().max_attempts(), 7u);
  EXPECT_EQ(FromProto(shown->delivery_policy().ack_deadline()), std::chrono::seconds(30)) << "defaults are filled in";
  EXPECT_EQ(shown->max_in_flight(), 5u);
  EXPECT_EQ(shown->in_flight(), 1u);
  EXPECT_EQ(shown->backlog(), 2u);
  EXPECT_EQ(shown->last_delivered_sequence(), 1u);
  EXPECT_TRUE(shown->has_oldest_unacked_time());
  EXPECT_TRUE(shown->has_connect_time());
  EXPECT_GT(FromProto(shown->lease_expire_time()), std::chrono::system_clock::now());
  EXPECT_EQ(shown->labels().at("role"), "test");
  EXPECT_FALSE(shown->etag().empty());
}

TEST_F(OperationsTest, TheAckFloorMovesWhenEverythingBelowIsSettled) {
  auto listener = Listen("floor");
  for (const char* key : {"a", "b", "c"}) bus_.PublishDurable(KeyedEvent(key));
  const auto deliveries = listener->NextDeliveries(3);

  listener->Ack(deliveries[1].delivery_id(), true);
  listener->NextConfirmation();
  EXPECT_EQ(bus_.GetListener("floor")->ack_floor_sequence(), 0u);
  listener->Ack(deliveries[0].delivery_id(), true);
  listener->NextConfirmation();

  EXPECT_EQ(bus_.GetListener("floor")->ack_floor_sequence(), 2u);
  EXPECT_EQ(bus_.GetListener("floor")->backlog(), 1u);
}

TEST_F(OperationsTest, AMistypedNameIsAnsweredWithTheNearestOne) {
  auto listener = Listen("storage-hooks");

  const auto missing = bus_.GetListener("storage-hook");

  EXPECT_THAT(missing.status(), IsError(StatusCode::kNotFound, "LISTENER_NOT_FOUND"));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("storage-hooks"));
}

TEST_F(OperationsTest, APausedListenerGetsNothingUntilItIsResumed) {
  auto listener = Listen("paused");
  bus_.PublishDurable(KeyedEvent("before"));
  const auto held = listener->NextDelivery();
  auto pause = Named<bus::v1::PauseListenerRequest>("paused");
  pause.set_reason("maintenance of the SAN");

  const auto paused = Call(&Registry::PauseListener, bus_.registry(), pause);

  ASSERT_TRUE(paused.ok()) << paused.status();
  EXPECT_EQ(paused->listener().state(), LISTENER_STATE_PAUSED);
  EXPECT_THAT(paused->listener().state_reason(), HasSubstr("maintenance of the SAN"));
  EXPECT_TRUE(Call(&Registry::PauseListener, bus_.registry(), pause).ok()) << "pausing again is no error";
  const auto response = bus_.Publish(KeyedEvent("during"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(RowOf(response->result(), "paused").state(), bus::v1::DELIVERY_STATE_PAUSED);
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  listener->Ack(held.delivery_id(), true);
  EXPECT_EQ(listener->NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);
  ASSERT_TRUE(Call(&Registry::ResumeListener, bus_.registry(), Named<bus::v1::ResumeListenerRequest>("paused")).ok());
  EXPECT_EQ(listener->NextDelivery().event().event_id(), response->result().event_id());
}

TEST_F(OperationsTest, SeekingBackDeliversAgainAndForwardSkips) {
  auto listener = Listen("seeker");
  for (int i = 1; i <= 3; ++i) bus_.PublishDurable(KeyedEvent("key-" + std::to_string(i)));
  for (const auto& delivery : listener->NextDeliveries(3)) listener->Ack(delivery.delivery_id());
  WaitFor("everything to be settled", [&] { return bus_.GetListener("seeker")->backlog() == 0; });
  bus::v1::StartPosition back;
  back.set_sequence(2);

  const auto sought = Seek("seeker", back);

  ASSERT_TRUE(sought.ok()) << sought.status();
  EXPECT_EQ(sought->next_sequence(), 2u);
  auto again = listener->NextDeliveries(2);
  EXPECT_EQ(again[0].event().sequence(), 2u);
  EXPECT_EQ(again[1].event().sequence(), 3u);
  for (const auto& delivery : again) {
    listener->Ack(delivery.delivery_id(), true);
    listener->NextConfirmation();
  }
  listener->Cancel();
  WaitFor("seeker to be gone", [&] { return bus_.HasState("seeker", bus::v1::LISTENER_STATE_DISCONNECTED); });
  const auto jumped = bus_.PublishDurable(KeyedEvent("jumped"));
  bus::v1::StartPosition forward;
  forward.set_latest(true);
  const auto would = Seek("seeker", forward, true);
  ASSERT_TRUE(would.ok()) << would.status();
  EXPECT_EQ(would->skipped_count(), 1u);
  EXPECT_EQ(RowOf(bus_.Result(jumped), "seeker").state(), bus::v1::DELIVERY_STATE_OFFLINE) << "validate_only does nothing";
  const auto skipped = Seek("seeker", forward);
  ASSERT_TRUE(skipped.ok()) << skipped.status();
  EXPECT_EQ(skipped->skipped_count(), 1u);
  EXPECT_EQ(RowOf(bus_.Result(jumped), "seeker").state(), bus::v1::DELIVERY_STATE_SKIPPED);
}

TEST_F(OperationsTest, WhatIsSentAgainAfterASeekBackWaitsForWhatItsKeyHasInFlight) {
  auto listener = Listen("seeker");
  bus_.PublishDurable(KeyedEvent("one-key"));
  bus_.PublishDurable(KeyedEvent("one-key"));
  listener->Ack(listener->NextDelivery().delivery_id());
  const auto second = listener->NextDelivery();
  bus::v1::StartPosition back;
  back.set_sequence(1);

  ASSERT_TRUE(Seek("seeker", back).ok());

  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));
  listener->Ack(second.delivery_id());
  EXPECT_EQ(listener->NextDelivery().event().sequence(), 1u);
}

TEST_F(OperationsTest, WhereToSeekMustBeSaid) {
  auto listener = Listen("seeker");
  bus::v1::StartPosition resume;
  resume.set_resume(true);

  EXPECT_EQ(Seek("seeker", bus::v1::StartPosition()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Seek("seeker", resume).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(OperationsTest, DeleteRefusesWhatIsStillInUseUnlessForced) {
  auto listener = Listen("doomed");
  const auto event_id = bus_.PublishDurable(CustomEvent("x"));
  auto request = Named<bus::v1::DeleteListenerRequest>("doomed");
  EXPECT_THAT(Call(&Registry::DeleteListener, bus_.registry(), request).status(),
              IsError(StatusCode::kFailedPrecondition, "LISTENER_NOT_EMPTY"));
  request.set_force(true);

  const auto deleted = Call(&Registry::DeleteListener, bus_.registry(), request);

  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->dropped_count(), 1u);
  EXPECT_EQ(listener->WaitEnd().code(), StatusCode::kAborted);
  EXPECT_EQ(bus_.GetListener("doomed").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(RowOf(bus_.Result(event_id), "doomed").state(), bus::v1::DELIVERY_STATE_EXPIRED);
}

TEST_F(OperationsTest, AnEtagGuardsAgainstWhatOneHasNotSeen) {
  auto listener = Listen("guarded");
  const auto etag = bus_.GetListener("guarded")->etag();
  ASSERT_TRUE(Call(&Registry::PauseListener, bus_.registry(), Named<bus::v1::PauseListenerRequest>("guarded", etag)).ok());

  const auto stale = Call(&Registry::ResumeListener, bus_.registry(), Named<bus::v1::ResumeListenerRequest>("guarded", etag));

  EXPECT_THAT(stale.status(), IsError(StatusCode::kAborted, "ETAG_MISMATCH"));
  EXPECT_TRUE(bus_.HasState("guarded", LISTENER_STATE_PAUSED));
}

TEST_F(OperationsTest, ListsAreSortedFilteredAndPaged) {
  auto c = Listen("c");
  auto with_label = RegistrationOf("a");
  with_label.set_node("node1");
  (*with_label.mutable_labels())["role"] = "hooks";
  auto a = Listen(with_label);
  Listen("b")->Cancel();
  WaitFor("b to be gone", [&] { return bus_.HasState("b", bus::v1::LISTENER_STATE_DISCONNECTED); });

  EXPECT_THAT(Names(List("")), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Names(List("state = \"DISCONNECTED\"")), ElementsAre("b"));
  EXPECT_THAT(Names(List("NOT state = DISCONNECTED")), ElementsAre("a", "c"));
  EXPECT_THAT(Names(List("node = node1 AND labels.role = hooks")), ElementsAre("a"));
  EXPECT_THAT(List("colour = red").status(), IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
  const auto first = List("", 2);
  EXPECT_THAT(Names(first), ElementsAre("a", "b"));
  const auto second = List("", 2, first->next_page_token());
  EXPECT_THAT(Names(second), ElementsAre("c"));
  EXPECT_EQ(second->next_page_token(), "");
  EXPECT_EQ(List("", 2, "No Page").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(List("", -1).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(OperationsTest, ANewListenerMayBeginAtThePast) {
  for (int i = 1; i <= 3; ++i) bus_.PublishDurable(KeyedEvent("key-" + std::to_string(i)));
  auto earliest = RegistrationOf("earliest");
  earliest.mutable_start_position()->set_earliest(true);
  auto from_two = RegistrationOf("from-two");
  from_two.mutable_start_position()->set_sequence(2);

  auto everything = Listen(earliest);
  auto later = Listen(from_two);
  auto latest = Listen("latest");

  EXPECT_EQ(everything->NextDeliveries(3)[0].event().sequence(), 1u);
  EXPECT_TRUE(everything->WaitCaughtUp());
  EXPECT_EQ(later->NextDeliveries(2)[0].event().sequence(), 2u);
  EXPECT_TRUE(latest->WaitCaughtUp());
  EXPECT_TRUE(latest->NoDeliveryWithin(milliseconds(100)));
}

TEST_F(OperationsTest, AWatcherSeesEveryEventAndNobodyWaitsForIt) {
  bus_.PublishDurable(CustomEvent("first"));
  bus::v1::WatchEventsRequest request;
  request.mutable_start_position()->set_earliest(true);
  request.set_max_events(2);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kSoon);
  const auto stream = bus_.journal().WatchEvents(&context, request);
  bus::v1::WatchEventsResponse seen;
  ASSERT_TRUE(stream->Read(&seen));
  EXPECT_EQ(seen.event().custom().name(), "first");

  EXPECT_EQ(bus_.Publish(CustomEvent("second"))->result().outcome(), bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);

  ASSERT_TRUE(stream->Read(&seen));
  EXPECT_EQ(seen.event().sequence(), 2u);
  EXPECT_FALSE(stream->Read(&seen)) << "max_events ends the stream";
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(OperationsTest, TheJournalSaysThatItIsNotDurable) {
  bus_.PublishDurable(CustomEvent("x"));

  const auto status = Call(&bus::v1::JournalService::Stub::GetJournalStatus, bus_.journal(), {});

  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->kind(), bus::v1::JOURNAL_KIND_MEMORY);
  EXPECT_FALSE(status->durable());
  EXPECT_EQ(status->event_count(), 1u);
  EXPECT_EQ(status->last_sequence(), 1u);
  EXPECT_FALSE(status->warnings().empty());
  WaitFor("the log to say so", [&] { return bus_.process().StandardError().find("not_durable") != std::string::npos; });
}

}  // namespace
}  // namespace pvebus::testing
