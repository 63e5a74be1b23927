#include "bus-service/rpc/result_codec.h"

#include "bus-service/core/testing/bus_harness.h"
#include "bus-service/rpc/listener_codec.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

v1::PublishResult ResultOf(BusHarness& bus, const std::string& event_id) {
  v1::PublishResult result;
  EncodeResult(*bus.bus.ledger().FindByEventId(event_id), bus.bus, result);
  return result;
}

TEST(ResultCodecTest, EveryRowCountsInOneOfThreeWays) {
  BusHarness bus;
  auto& ack = bus.Connect("a-ack");
  auto& skip = bus.Connect("b-skip");
  auto& retry = bus.Connect("c-retry");
  auto& dead = bus.Connect("d-dead");
  bus.Connect("e-hang");
  bus.Connect("f-away").Break();
  bus.Connect("g-paused");
  ASSERT_TRUE(bus.bus.registry().Pause("g-paused", "", "").ok());
  bus.Publish({.id = "x"});
  bus.Advance(milliseconds(250));
  ack.Ack("x");
  skip.Skip("x");
  retry.Retry("x", seconds(5));
  dead.DeadLetter("x");

  const v1::PublishResult result = ResultOf(bus, "x");

  EXPECT_EQ(result.event_id(), "x");
  EXPECT_EQ(result.sequence(), 1u);
  EXPECT_EQ(result.matched_count(), 7u);
  EXPECT_EQ(result.succeeded_count(), 2u);
  EXPECT_EQ(result.failed_count(), 2u);
  EXPECT_EQ(result.pending_count(), 3u);
  EXPECT_FALSE(result.settled());
  EXPECT_EQ(result.outcome(), v1::PUBLISH_OUTCOME_PENDING);
  EXPECT_EQ(result.listener_results(0).state(), v1::DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(result.listener_results(0).latency().nanos(), 250'000'000);
  EXPECT_FALSE(result.listener_results(0).has_error());
  EXPECT_EQ(result.listener_results(0).instance_id(), "a-ack-1");
  EXPECT_EQ(result.listener_results(2).state(), v1::DELIVERY_STATE_RETRY_SCHEDULED);
  EXPECT_TRUE(result.listener_results(2).has_next_attempt_time());
  EXPECT_EQ(result.listener_results(2).error().reason(), "TEST_REASON");
  EXPECT_EQ(result.listener_results(4).state(), v1::DELIVERY_STATE_IN_FLIGHT);
  EXPECT_FALSE(result.listener_results(4).has_latency());
  EXPECT_EQ(result.listener_results(5).state(), v1::DELIVERY_STATE_OFFLINE);
  EXPECT_EQ(result.listener_results(6).state(), v1::DELIVERY_STATE_PAUSED);
  for (const auto& row : result.listener_results())
    EXPECT_NE(row.state() == v1::DELIVERY_STATE_SUCCEEDED, row.has_error()) << row.listener();
}

TEST(ResultCodecTest, TheOutcomeSaysAllRowsInOneWord) {
  const auto outcome = [](const std::function<void(ScriptedListener&)>& a_does,
                          const std::function<void(ScriptedListener&)>& b_does, std::vector<std::string> required = {}) {
    BusHarness bus;
    auto& a = bus.Connect("a");
    auto& b = bus.Connect("b");
    bus.Publish({.id = "x", .required = std::move(required)});
    a_does(a);
    b_does(b);
    return ResultOf(bus, "x").outcome();
  };
  const auto ack = [](ScriptedListener& l) { l.Ack("x"); };
  const auto dead = [](ScriptedListener& l) { l.DeadLetter("x"); };
  const auto retry = [](ScriptedListener& l) { l.Retry("x"); };
  const auto skip = [](ScriptedListener& l) { l.Skip("x"); };
  const auto hang = [](ScriptedListener&) {};

  EXPECT_EQ(outcome(ack, ack), v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_EQ(outcome(ack, [](ScriptedListener& l) { l.Release("x", seconds(5)); }), v1::PUBLISH_OUTCOME_PENDING);
  EXPECT_EQ(outcome(ack, skip), v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_EQ(outcome(ack, dead), v1::PUBLISH_OUTCOME_PARTIAL);
  EXPECT_EQ(outcome(ack, retry), v1::PUBLISH_OUTCOME_PARTIAL);
  EXPECT_EQ(outcome(dead, retry), v1::PUBLISH_OUTCOME_FAILED);
  EXPECT_EQ(outcome(ack, hang), v1::PUBLISH_OUTCOME_PENDING);
  EXPECT_EQ(outcome(dead, hang), v1::PUBLISH_OUTCOME_PENDING);
  EXPECT_EQ(outcome(ack, dead, {"b"}), v1::PUBLISH_OUTCOME_FAILED);
  EXPECT_EQ(outcome(ack, dead, {"a"}), v1::PUBLISH_OUTCOME_PARTIAL);
  EXPECT_EQ(outcome(hang, dead, {"b"}), v1::PUBLISH_OUTCOME_FAILED);
  BusHarness nobody;
  nobody.Publish({.id = "x"});
  EXPECT_EQ(ResultOf(nobody, "x").outcome(), v1::PUBLISH_OUTCOME_NO_LISTENERS);
  EXPECT_TRUE(ResultOf(nobody, "x").settled());
}

TEST(ResultCodecTest, HookResultsReachThePublisherAsTheListenerSentThem) {
  v1::Settlements settlements;
  auto& hook = *settlements.add_settlements()->mutable_acknowledgement()->add_hook_results();
  hook.set_hook("vlan");
  hook.set_state(v1::HOOK_STATE_CHANGED);
  hook.set_before("off");
  hook.set_after("on");
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});
  Settlement settlement = DecodeSettlements(settlements)->at(0);
  settlement.delivery_id = a.Newest("x").delivery.delivery_id;
  a.Settle(settlement);

  const v1::PublishResult result = ResultOf(bus, "x");

  ASSERT_EQ(result.listener_results(0).hook_results_size(), 1);
  EXPECT_EQ(result.listener_results(0).hook_results(0).SerializeAsString(), hook.SerializeAsString());
}

TEST(ResultCodecTest, ARefusalInABatchIsTheSameErrorAsAStatus) {
  absl::Status status = MakeError(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL", "full", {{"limit", "5"}});
  SetRetryDelay(status, seconds(1));
  v1::ListenerError error;
  EncodeStatus(status, error);

  EXPECT_EQ(error.code(), 8);
  EXPECT_EQ(error.reason(), "JOURNAL_FULL");
  EXPECT_EQ(error.message(), "full");
  EXPECT_EQ(error.metadata().at("limit"), "5");
  EXPECT_TRUE(error.retryable());
}

TEST(ListenerEncodingTest, AnOperatorSeesTheWholeListener) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.event_types = 1u << static_cast<int>(EventType::kCustom);
  a.registration.filter = *Filter::ParseForEvents("subject = x");
  a.registration.labels = {{"k", "v"}};
  a.registration.max_in_flight = 1;
  a.Connect();
  for (int i = 0; i < 3; ++i) bus.Publish({.key = "k" + std::to_string(i), .subject = "x", .wait_policy = WaitPolicy::kDurable});
  a.Retry("e1", seconds(60));

  v1::Listener listener;
  EncodeListener("a", bus.bus.registry().listeners().at("a"), listener);

  EXPECT_EQ(listener.name(), "a");
  EXPECT_EQ(listener.state(), v1::LISTENER_STATE_CONNECTED);
  EXPECT_EQ(listener.instance_id(), "a-1");
  EXPECT_EQ(listener.node(), "node1");
  EXPECT_EQ(listener.session_epoch(), 1u);
  EXPECT_TRUE(listener.has_lease_expire_time());
  ASSERT_EQ(listener.event_types_size(), 1);
  EXPECT_EQ(listener.event_types(0), event::v1::EVENT_TYPE_CUSTOM);
  EXPECT_EQ(listener.filter(), "subject = x");
  EXPECT_EQ(listener.ack_floor_sequence(), 0u);
  EXPECT_EQ(listener.last_delivered_sequence(), 2u);
  EXPECT_EQ(listener.backlog(), 3u);
  EXPECT_EQ(listener.in_flight(), 1u);
  EXPECT_EQ(listener.retry_scheduled(), 1u);
  EXPECT_EQ(listener.max_in_flight(), 1u);
  EXPECT_EQ(listener.last_error().reason(), "TEST_REASON");
  EXPECT_TRUE(listener.has_oldest_unacked_time());
  EXPECT_EQ(listener.labels().at("k"), "v");
  EXPECT_FALSE(listener.etag().empty());
  a.Break();
  v1::Listener away;
  EncodeListener("a", bus.bus.registry().listeners().at("a"), away);
  EXPECT_EQ(away.state(), v1::LISTENER_STATE_DISCONNECTED);
  EXPECT_FALSE(away.has_lease_expire_time());
}

}  // namespace
}  // namespace pvebus::bus
