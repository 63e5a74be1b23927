// What an attack on the real bus once broke.
#include <signal.h>

#include <atomic>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

event::v1::SystemEvent NestedEvent(int depth) {
  auto event = CustomEvent("nested");
  google::protobuf::Value* value = &(*event.mutable_custom()->mutable_data())["x"];
  for (int i = 0; i < depth; ++i) value = value->mutable_list_value()->add_values();
  value->set_bool_value(true);
  return event;
}

// A list takes two messages per level. 100 is where readers of protobuf give up.
TEST(AdversaryTest, AnEventThatIsTakenCanBeReadByEveryListener) {
  BusProcess bus;
  RawListener listener(bus.address(), RegistrationOf("reader"));
  listener.WaitRegistered();

  for (int depth = 20; depth < 60; ++depth) {
    const auto published = bus.Publish(RequestOf(NestedEvent(depth), bus::v1::WAIT_POLICY_DURABLE));
    if (!published.ok()) {
      EXPECT_THAT(published.status(), IsError(StatusCode::kInvalidArgument, "REQUEST_MALFORMED")) << depth;
      continue;
    }
    const auto delivery = listener.NextDelivery();
    ASSERT_EQ(delivery.event().event_id(), published->result().event_id()) << depth;
    listener.Ack(delivery.delivery_id());
  }
  EXPECT_FALSE(listener.ended()) << listener.WaitEnd();
}

TEST(AdversaryTest, ListenersWithMuchToSayCanBeListed) {
  BusProcess bus;
  auto registration = RegistrationOf("");
  (*registration.mutable_labels())["much"] = std::string(4000, 'x');
  registration.set_filter("subject = '" + std::string(1900, 'x') + "'");
  constexpr int kCount = 900;

  for (int i = 0; i < kCount; ++i) {
    registration.set_listener("l" + std::to_string(i));
    RawListener(bus.address(), registration).WaitRegistered();
  }

  bus::v1::ListListenersRequest request;
  request.set_page_size(1000);
  int listed = 0;
  do {
    const auto page = Call(&bus::v1::RegistryService::Stub::ListListeners, bus.registry(), request);
    ASSERT_TRUE(page.ok()) << page.status();
    listed += page->listeners_size();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());

  EXPECT_EQ(listed, kCount);
}

TEST(AdversaryTest, ManyEmptyMessagesCostNoMemory) {
  BusProcess bus;
  std::string bytes;
  for (int i = 0; i < 8'000'000; ++i) bytes.append("\x0a\x00", 2);

  const auto refused = CallBytes(*bus.channel(), "/pvebus.bus.v1.BusService/BatchPublish", bytes);

  EXPECT_THAT(refused.status(), IsError(StatusCode::kInvalidArgument, "REQUEST_MALFORMED"));
  EXPECT_LT(bus.process().ResidentBytes(), size_t{150} << 20);
}

TEST(AdversaryTest, PublishersThatHaveLeftMakeRoomForOthers) {
  BusProcess bus;
  RawListener hangs(bus.address(), RegistrationOf("hangs"));
  hangs.WaitRegistered();
  const auto publish = [&bus](grpc::ClientContext& context, milliseconds wait) {
    bus::v1::BatchPublishRequest batch;
    for (int i = 0; i < 1000; ++i) *batch.add_requests() = RequestOf(KeyedEvent("k"), bus::v1::WAIT_POLICY_SETTLED, wait);
    bus::v1::BatchPublishResponse response;
    bus.bus().BatchPublish(&context, batch, &response);
    int refused = 0;
    for (const auto& one : response.responses()) refused += one.has_error();
    return refused;
  };
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    threads.emplace_back([&publish, context = contexts.back().get()] { publish(*context, seconds(30)); });
  }
  WaitFor("10,000 to wait", [&] { return bus.GetListener("hangs")->backlog() == 10'000; });
  grpc::ClientContext one_too_many;
  ASSERT_EQ(publish(one_too_many, milliseconds(1)), 1000);

  for (auto& context : contexts) context->TryCancel();
  for (auto& thread : threads) thread.join();

  WaitFor("room for another publisher", [&] {
    grpc::ClientContext another;
    return publish(another, milliseconds(1)) == 0;
  });
}

// The bus may be stopped at any moment of its work; watchers keep it writing, which is where it once did not notice.
TEST(AdversaryTest, NobodyLosesItsLeaseWhileTheBusItselfStandsStill) {
  BusProcess bus;
  auto large = CustomEvent("large");
  (*large.mutable_custom()->mutable_data())["x"].set_string_value(std::string(300'000, 'x'));
  for (int i = 0; i < 30; ++i) bus.PublishDurable(large);
  auto registration = RegistrationOf("patient");
  *registration.mutable_lease_duration() = ProtoDuration(seconds(1));
  RawListener listener(bus.address(), registration);
  listener.WaitRegistered();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    while (!stop) {
      listener.Heartbeat();
      LetPass(milliseconds(50));
    }
  });
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      const auto stub = bus::v1::JournalService::NewStub(SeparateChannel(bus.address()));
      bus::v1::WatchEventsRequest request;
      request.mutable_start_position()->set_earliest(true);
      request.set_max_events(30);
      while (!stop) {
        grpc::ClientContext context;
        const auto stream = stub->WatchEvents(&context, request);
        bus::v1::WatchEventsResponse event;
        while (stream->Read(&event)) {
        }
        stream->Finish();
      }
    });
  }

  for (int i = 0; i < 8; ++i) {
    LetPass(milliseconds(200));
    bus.process().Signal(SIGSTOP);
    LetPass(milliseconds(1200));
    bus.process().Signal(SIGCONT);
  }
  LetPass(milliseconds(300));
  stop = true;
  for (auto& thread : threads) thread.join();

  EXPECT_FALSE(listener.ended());
  EXPECT_EQ(bus.GetListener("patient")->session_epoch(), 1u);
}

// Calls that arrive, streams that are not read and results that are awaited, all at the moment of the end.
TEST(AdversaryTest, TheBusEndsWellWhateverIsGoingOn) {
  for (int round = 0; round < 5; ++round) {
    BusProcess bus({"--drain-grace", "0.2"});
    RawListener hangs(bus.address(), RegistrationOf("hangs"));
    hangs.WaitRegistered();
    RawListener never_reads(bus.address(), RegistrationOf("never-reads"), RawListener::Reading::kNever);
    auto large = CustomEvent("large");
    (*large.mutable_custom()->mutable_data())["x"].set_string_value(std::string(500'000, 'x'));
    const std::string id = bus.PublishDurable(large);
    grpc::ClientContext watching;
    bus::v1::WatchEventsRequest watch;
    watch.mutable_start_position()->set_earliest(true);
    const auto unread = bus.journal().WatchEvents(&watching, watch);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const auto stub = bus::v1::BusService::NewStub(SeparateChannel(bus.address()));
        bus::v1::GetPublishResultRequest result;
        result.set_event_id(id);
        result.set_wait_policy(bus::v1::WAIT_POLICY_SETTLED);
        while (!stop) {
          if (i % 2 == 0) {
            Call(&bus::v1::BusService::Stub::GetPublishResult, *stub, result, milliseconds(20)).IgnoreError();
          } else {
            Call(&bus::v1::BusService::Stub::Publish, *stub, RequestOf(large), milliseconds(20)).IgnoreError();
          }
        }
      });
    }
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; !stop; ++k) RawListener(bus.address(), RegistrationOf("l" + std::to_string(i)));
      });
    }
    LetPass(milliseconds(200));

    bus.process().Signal(SIGTERM);
    const auto code = bus.process().WaitExit(seconds(20));
    stop = true;
    for (auto& thread : threads) thread.join();
    watching.TryCancel();

    ASSERT_EQ(code, 0) << bus.process().StandardError();
  }
}

}  // namespace
}  // namespace pvebus::testing
