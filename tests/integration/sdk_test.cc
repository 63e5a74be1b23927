// The SDK against the real bus.
#include <atomic>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/client/channel.h"
#include "sdk/client/listener.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"

namespace pvebus::testing {
namespace {

using client::Answer;
using client::EventContext;

class SdkTest : public ::testing::Test {
 protected:
  std::unique_ptr<client::Listener> Listen(const std::string& name, const std::string& filter, client::Handler handler) {
    client::ListenerOptions options;
    options.registration = QuickRetries(RegistrationOf(name));
    options.registration.set_filter(filter);
    auto listener = std::make_unique<client::Listener>(client::Connect(bus_.address()), options, std::move(handler), &publisher_,
                                                       clock_, logger_);
    listener->Start();
    EXPECT_TRUE(listener->WaitRegistered(kSoon).ok()) << name;
    return listener;
  }

  BusProcess bus_;
  RealClock clock_;
  NullLogger logger_;
  client::Publisher publisher_{client::Connect(bus_.address()), "sdk-test", clock_};
};

TEST_F(SdkTest, AHandlerThatPublishesAndWaitsForEveryoneItselfIncludedDoesNotDeadlock) {
  std::atomic<int> children = 0;
  Mutex mutex;
  bus::v1::PublishResult nested;
  const auto handler = [&](const EventContext& context) {
    if (context.event().custom().name() == "child") {
      ++children;
      return Answer::Ack();
    }
    client::PublishOptions options;
    options.required_listeners = {"self", "other"};
    const auto response = context.Publish(CustomEvent("child"), options);
    if (!response.ok())
      return Answer::DeadLetter(response.status().code(), "NESTED_FAILED", std::string(response.status().message()));
    MutexLock lock(mutex);
    nested = response->result();
    return Answer::Ack();
  };
  const auto self = Listen("self", "", handler);
  const auto other = Listen("other", "ordering_key = \"custom/child\"", [](const EventContext&) { return Answer::Ack(); });
  const auto begin = std::chrono::steady_clock::now();

  const auto response = publisher_.Publish(CustomEvent("parent"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED) << response->result().DebugString();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  MutexLock lock(mutex);
  EXPECT_EQ(RowOf(nested, "self").state(), bus::v1::DELIVERY_STATE_DEFERRED);
  EXPECT_EQ(RowOf(nested, "other").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
  WaitFor("the child to reach its publisher's listener", [&] { return children == 1; });
}

TEST_F(SdkTest, HandlersThatAnswerEachOthersEventsStopAtTheHopLimit) {
  std::atomic<int> events = 0;
  std::atomic<bool> stopped = false;
  const auto answer_with = [&](const std::string& name) {
    return [&, name](const EventContext& context) {
      ++events;
      client::PublishOptions options;
      options.wait_policy = bus::v1::WAIT_POLICY_DURABLE;
      const auto status = context.Publish(CustomEvent(name), options).status();
      if (ErrorReason(status) == "HOP_LIMIT_EXCEEDED") stopped = true;
      return Answer::Ack();
    };
  };
  const auto ping = Listen("ping", "ordering_key = \"custom/pong\"", answer_with("ping"));
  const auto pong = Listen("pong", "ordering_key = \"custom/ping\"", answer_with("pong"));

  ASSERT_TRUE(publisher_.Publish(CustomEvent("ping")).ok());

  WaitFor("the hop limit", [&] { return stopped.load(); });
  EXPECT_EQ(events, 9);
  EXPECT_EQ(bus_.Publish(CustomEvent("next"))->result().sequence(), 10u);
}

TEST_F(SdkTest, EveryEventIsHandledOnceInOrderOfItsKeyWhileKeysFlowInParallel) {
  constexpr int kKeys = 8;
  constexpr int kPerKey = 50;
  Mutex mutex;
  std::map<std::string, std::vector<uint64_t>> seen;
  const auto listener = Listen("ordered", "", [&](const EventContext& context) {
    MutexLock lock(mutex);
    seen[context.event().ordering_key()].push_back(context.event().sequence());
    // Now and then the listener fails; the event keeps its place.
    if (context.event().sequence() % 17 == 0 && context.attempt() == 1) {
      seen[context.event().ordering_key()].pop_back();
      return Answer::Retry(absl::StatusCode::kUnavailable, "AGAIN", "");
    }
    return Answer::Ack();
  });
  bus::v1::BatchPublishRequest batch;
  for (int i = 0; i < kKeys * kPerKey; ++i) {
    *batch.add_requests() = RequestOf(KeyedEvent("key-" + std::to_string(i % kKeys)), bus::v1::WAIT_POLICY_DURABLE);
  }

  ASSERT_TRUE(publisher_.BatchPublish(batch).ok());

  WaitFor("everything to be settled", [&] { return bus_.GetListener("ordered")->backlog() == 0; });
  MutexLock lock(mutex);
  ASSERT_EQ(seen.size(), static_cast<size_t>(kKeys));
  for (const auto& [key, sequences] : seen) {
    EXPECT_EQ(sequences.size(), static_cast<size_t>(kPerKey)) << key;
    EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end())) << key;
  }
}

TEST_F(SdkTest, AHandlerThatTakesLongerThanItsAckDeadlineKeepsItsDelivery) {
  std::atomic<int> runs = 0;
  client::ListenerOptions options;
  options.registration = QuickRetries(RegistrationOf("long"));
  *options.registration.mutable_delivery_policy()->mutable_ack_deadline() = ProtoDuration(std::chrono::milliseconds(300));
  client::Listener listener(
      client::Connect(bus_.address()), options,
      [&](const EventContext&) {
        ++runs;
        LetPass(std::chrono::milliseconds(1500));
        return Answer::Ack();
      },
      nullptr, clock_, logger_);
  listener.Start();
  ASSERT_TRUE(listener.WaitRegistered(kSoon).ok());

  const auto response = publisher_.Publish(CustomEvent("work"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(RowOf(response->result(), "long").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(RowOf(response->result(), "long").attempt(), 1u);
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace pvebus::testing
