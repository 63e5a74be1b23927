// Slow, idle and many listeners: bounded memory, nobody delayed, nothing lost.
#include <algorithm>
#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/listener_swarm.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using bus::v1::WAIT_POLICY_DURABLE;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kMemoryFactor = 3;
#else
constexpr size_t kMemoryFactor = 1;
#endif

event::v1::SystemEvent BigEvent(int number) {
  auto event = KeyedEvent("key-" + std::to_string(number % 100));
  (*event.mutable_custom()->mutable_data())["text"].set_string_value(std::string(10'000, 'x'));
  return event;
}

milliseconds Median(std::vector<steady_clock::duration> durations) {
  std::sort(durations.begin(), durations.end());
  return std::chrono::duration_cast<milliseconds>(durations[durations.size() / 2]);
}

class FlowTest : public ::testing::Test {
 protected:
  // How long publishes take whose result only `listener`, which acknowledges at once, is waited for.
  std::vector<steady_clock::duration> Latencies(RawListener& listener, int count) {
    std::vector<steady_clock::duration> latencies;
    for (int i = 0; i < count; ++i) {
      const auto begin = steady_clock::now();
      auto publishing = bus_.PublishLater(RequestOf(CustomEvent("probe")));
      listener.Ack(listener.NextDelivery().delivery_id());
      const auto response = publishing.get();
      latencies.push_back(steady_clock::now() - begin);
      EXPECT_TRUE(response.ok()) << response.status();
    }
    return latencies;
  }
  static bus::v1::Registration Probe(const std::string& name) {
    auto registration = RegistrationOf(name);
    registration.set_filter("ordering_key = \"custom/probe\"");
    return registration;
  }
  static bus::v1::Registration Bulk(const std::string& name) {
    auto registration = RegistrationOf(name);
    registration.set_filter("NOT ordering_key = \"custom/probe\"");
    return registration;
  }

  BusProcess bus_;
};

TEST_F(FlowTest, AListenerThatNeverReadsCostsBoundedMemoryDelaysNobodyAndCatchesUp) {
  constexpr int kEvents = 10'000;
  constexpr int kBatch = 100;
  RawListener probe(bus_.address(), Probe("probe"));
  probe.WaitRegistered();
  const auto before = Median(Latencies(probe, 50));
  RawListener stuck(bus_.address(), Bulk("stuck"), RawListener::Reading::kNever);
  WaitFor("stuck to be registered", [&] { return bus_.GetListener("stuck").ok(); });
  ListenerSwarm reading(bus_.address(), "reading", 1, Bulk(""));

  size_t peak_bytes = 0;
  std::vector<steady_clock::duration> during;
  for (int i = 0; i < kEvents; i += kBatch) {
    bus::v1::BatchPublishRequest batch;
    for (int j = 0; j < kBatch; ++j) *batch.add_requests() = RequestOf(BigEvent(i + j), WAIT_POLICY_DURABLE);
    const auto response = Call(&bus::v1::BusService::Stub::BatchPublish, bus_.bus(), batch);
    ASSERT_TRUE(response.ok()) << response.status();
    for (const auto& one : response->responses()) ASSERT_FALSE(one.has_error()) << one.error().ShortDebugString();
    during.push_back(Latencies(probe, 1)[0]);
    peak_bytes = std::max(peak_bytes, bus_.process().ResidentBytes());
  }

  RecordProperty("peak_bytes", std::to_string(peak_bytes));
  EXPECT_LT(peak_bytes, kMemoryFactor * 200'000'000);
  EXPECT_LT(Median(during), before + milliseconds(20));
  WaitFor(
      "the reading listener to have everything", [&] { return bus_.GetListener("reading-0")->backlog() == 0; },
      std::chrono::seconds(30));
  EXPECT_EQ(bus_.GetListener("stuck")->backlog(), static_cast<uint64_t>(kEvents));
  stuck.StartReading();
  uint64_t last = 0;
  for (int i = 0; i < kEvents; ++i) {
    const auto delivery = stuck.NextDelivery();
    ASSERT_NE(delivery.delivery_id(), 0u) << "after " << i << " events";
    EXPECT_EQ(delivery.attempt(), 1u);
    last = std::max(last, delivery.event().sequence());
    stuck.Ack(delivery.delivery_id());
  }
  WaitFor("stuck to have settled everything", [&] { return bus_.GetListener("stuck")->backlog() == 0; });
  EXPECT_EQ(bus_.GetListener("stuck")->dead_letters(), 0u);
  EXPECT_LT(bus_.process().ResidentBytes(), kMemoryFactor * 200'000'000);
}

// PVEBUS_SILENCE_SECONDS=180 for silences of minutes.
std::chrono::seconds Silence() {
  const char* seconds = std::getenv("PVEBUS_SILENCE_SECONDS");
  return std::chrono::seconds(seconds ? std::atoi(seconds) : 3);
}

TEST_F(FlowTest, FiveHundredIdleListenersCostNoThreadsAndNoTime) {
  auto registration = Probe("probe");
  *registration.mutable_lease_duration() = ProtoDuration(std::chrono::hours(1));  // it says nothing during a silence
  RawListener probe(bus_.address(), registration);
  probe.WaitRegistered();
  const auto before = Median(Latencies(probe, 50));
  const int threads = bus_.process().ThreadCount();

  auto idle = RegistrationOf("");
  idle.add_event_types(event::v1::EVENT_TYPE_NETWORK_APPLIED);
  *idle.mutable_lease_duration() = ProtoDuration(std::chrono::hours(1));
  ListenerSwarm swarm(bus_.address(), "idle", 500, idle);

  EXPECT_LE(bus_.process().ThreadCount(), threads + 2);
  EXPECT_LT(Median(Latencies(probe, 50)), before + milliseconds(10));
  std::vector<steady_clock::duration> after_silence;
  for (int i = 0; i < 3; ++i) {
    LetPass(Silence());
    after_silence.push_back(Latencies(probe, 1)[0]);
  }
  RecordProperty("before_us", std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(before).count()));
  RecordProperty("after_silence_us",
                 std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(Median(after_silence)).count()));
  EXPECT_LT(Median(after_silence), before + milliseconds(40)) << "the nap of gRPC's callback threads is 100 ms";
}

TEST_F(FlowTest, AnEventForFiveHundredListenersIsGatheredFromAll) {
  auto wanted = RegistrationOf("");
  *wanted.mutable_lease_duration() = ProtoDuration(std::chrono::hours(1));
  ListenerSwarm swarm(bus_.address(), "wants", 500, wanted);

  const auto response = bus_.Publish(CustomEvent("everybody"));

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().succeeded_count(), 500u);
  EXPECT_EQ(response->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

TEST_F(FlowTest, AFullJournalRefusesAndNamesWhoIsFurthestBehindAndRecovers) {
  BusProcess small({"--journal-limit", "1"});
  RawListener behind(small.address(), RegistrationOf("furthest-behind"));
  behind.WaitRegistered();

  absl::Status refused;
  int stored = 0;
  for (; refused.ok() && stored < 200; ++stored)
    refused = small.Publish(RequestOf(BigEvent(stored), WAIT_POLICY_DURABLE)).status();

  EXPECT_THAT(refused, IsError(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL"));
  EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("furthest-behind"));
  EXPECT_TRUE(RetryDelay(refused).has_value());
  for (int i = 1; i < stored; ++i) behind.Ack(behind.NextDelivery().delivery_id());
  WaitFor("the journal to take events again", [&] { return small.Publish(RequestOf(BigEvent(0), WAIT_POLICY_DURABLE)).ok(); });
}

}  // namespace
}  // namespace pvebus::testing
