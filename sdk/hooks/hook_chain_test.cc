#include "sdk/hooks/hook_chain.h"

#include <future>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::hooks {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr milliseconds kShort{20};
constexpr std::chrono::seconds kLong{30};

using Run = std::function<HookOutcome(const client::EventContext&, std::stop_token)>;

Hook MakeHook(std::string name, Run run, milliseconds limit = kLong) {
  return {.name = std::move(name), .description = "for tests", .time_limit = limit, .run = std::move(run)};
}

Run Returns(bus::v1::HookState state, std::string message = "") {
  return [=](const client::EventContext&, std::stop_token) { return HookOutcome{.state = state, .message = message}; };
}

// Waits for `token`; false after 10 s.
bool WaitForStop(const std::stop_token& token) {
  std::promise<void> requested;
  std::future<void> future = requested.get_future();
  std::stop_callback callback(token, [&] { requested.set_value(); });
  return future.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
}

bool WaitFor(std::latch& latch) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!latch.try_wait()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class HookChainTest : public testing::Test {
 protected:
  HookChainTest() {
    delivery_.set_attempt(1);
    delivery_.set_max_attempts(10);
    delivery_.mutable_event()->set_event_id("e1");
    delivery_.mutable_event()->mutable_container_started()->set_id(101);
  }

  void Add(Hook hook) {
    const absl::Status status = chain_.Add(std::move(hook));
    ASSERT_TRUE(status.ok()) << status;
  }

  std::vector<bus::v1::HookResult> RunChain(const std::string& event_id = "e1", std::stop_token stop = {}) {
    bus::v1::Delivery delivery = delivery_;
    delivery.mutable_event()->set_event_id(event_id);
    return chain_.Run(client::EventContext(delivery, nullptr, stop));
  }

  size_t Clear() {
    std::promise<size_t> cleared;
    chain_.ClearExecutions([&](size_t count) { cleared.set_value(count); });
    return cleared.get_future().get();
  }

  bus::v1::Delivery delivery_;
  RealClock clock_;
  HookChain chain_{{.history_size = 100}, clock_};
};

TEST_F(HookChainTest, HooksRunInTheOrderInWhichTheyWereAdded) {
  std::vector<std::string> order;
  for (const char* name : {"c", "a", "b"}) {
    Add(MakeHook(name, [&order, name](const client::EventContext&, std::stop_token) {
      order.push_back(name);
      return HookOutcome{};
    }));
  }

  const auto results = RunChain();

  EXPECT_THAT(order, ElementsAre("c", "a", "b"));
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].hook(), "c");
  EXPECT_EQ(results[2].hook(), "b");
}

Run Refuses(bus::v1::HookState state, std::string refusal) {
  return [=](const client::EventContext&, std::stop_token) { return HookOutcome{.state = state, .refusal = refusal}; };
}

TEST_F(HookChainTest, FirstHookThatRefusesTheEventSaysWhy) {
  Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_FAILED)));
  Add(MakeHook("b", Refuses(bus::v1::HOOK_STATE_FAILED, "PHASE_JUMP")));
  Add(MakeHook("c", Refuses(bus::v1::HOOK_STATE_FAILED, "OTHER")));
  std::string refusal;

  const auto results = chain_.Run(client::EventContext(delivery_, nullptr, {}), &refusal);

  EXPECT_EQ(refusal, "PHASE_JUMP");
  EXPECT_EQ(results.size(), 3u);
  EXPECT_EQ(RunChain("e2").size(), 3u) << "nobody has to ask";
}

TEST_F(HookChainTest, HookThatDidNotFailRefusesNothing) {
  Add(MakeHook("a", Refuses(bus::v1::HOOK_STATE_CHANGED, "PHASE_JUMP")));
  Add(MakeHook("b", Returns(bus::v1::HOOK_STATE_FAILED)));
  std::string refusal;

  chain_.Run(client::EventContext(delivery_, nullptr, {}), &refusal);

  EXPECT_EQ(refusal, "");
}

TEST_F(HookChainTest, EmptyChainHasNoResults) { EXPECT_THAT(RunChain(), IsEmpty()); }

TEST_F(HookChainTest, HookSeesTheDelivery) {
  delivery_.set_dry_run(true);
  delivery_.set_replay_id("r1");
  Add(MakeHook("a", [](const client::EventContext& context, std::stop_token) {
    return HookOutcome{
        .state = context.dry_run() ? bus::v1::HOOK_STATE_DRY_RUN : bus::v1::HOOK_STATE_CHANGED,
        .resource = std::to_string(context.event().container_started().id()),
        .message = context.replay_id() + " " + std::to_string(context.attempt()) + "/" + std::to_string(context.max_attempts())};
  }));

  const auto results = RunChain();

  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_DRY_RUN);
  EXPECT_EQ(results[0].resource(), "101");
  EXPECT_EQ(results[0].message(), "r1 1/10");
}

TEST_F(HookChainTest, DuplicateNameIsRefused) {
  Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_CHANGED)));

  const absl::Status status = chain_.Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_FAILED)));

  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(status), "HOOK_EXISTS");
  EXPECT_EQ(RunChain()[0].state(), bus::v1::HOOK_STATE_CHANGED);
}

TEST_F(HookChainTest, BadHooksAreRefused) {
  for (const std::string& name : {std::string(), std::string("A"), std::string("1a"), std::string("a_b"), std::string(64, 'a')}) {
    EXPECT_EQ(ErrorReason(chain_.Add(MakeHook(name, Returns(bus::v1::HOOK_STATE_CHANGED)))), "HOOK_NAME_INVALID") << name;
  }
  EXPECT_EQ(ErrorReason(chain_.Add(MakeHook("a", nullptr))), "HOOK_INVALID");
  EXPECT_EQ(ErrorReason(chain_.Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_CHANGED), milliseconds(0)))), "HOOK_INVALID");
}

TEST_F(HookChainTest, MoreHooksThanAnAcknowledgementHoldsAreRefused) {
  for (int i = 0; i < 256; ++i) Add(MakeHook("h" + std::to_string(i), Returns(bus::v1::HOOK_STATE_CHANGED)));

  EXPECT_EQ(ErrorReason(chain_.Add(MakeHook("one-more", Returns(bus::v1::HOOK_STATE_CHANGED)))), "TOO_MANY_HOOKS");
}

TEST_F(HookChainTest, UnknownRemovalNamesTheNearest) {
  Add(MakeHook("network-event-logger", Returns(bus::v1::HOOK_STATE_CHANGED)));

  const absl::Status status = chain_.Remove("network-event-loger");

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(status), "HOOK_NOT_FOUND");
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'network-event-logger'?"));
}

TEST_F(HookChainTest, RemovedHookRunsNoMore) {
  Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_CHANGED)));
  Add(MakeHook("b", Returns(bus::v1::HOOK_STATE_CHANGED)));

  ASSERT_TRUE(chain_.Remove("a").ok());

  ASSERT_EQ(RunChain().size(), 1u);
  ASSERT_EQ(chain_.List().size(), 1u);
  EXPECT_EQ(chain_.List()[0].name(), "b");
  EXPECT_EQ(chain_.Statistics().size(), 1u);
}

TEST_F(HookChainTest, HookThatThrowsIsFailedAndTheOthersRun) {
  Add(MakeHook("a", [](const client::EventContext&, std::stop_token) -> HookOutcome { throw std::runtime_error("boom"); }));
  Add(MakeHook("b", [](const client::EventContext&, std::stop_token) -> HookOutcome { throw 7; }));
  Add(MakeHook("c", Returns(bus::v1::HOOK_STATE_CHANGED)));

  const auto results = RunChain();

  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_THAT(results[0].message(), HasSubstr("boom"));
  EXPECT_EQ(results[1].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(results[2].state(), bus::v1::HOOK_STATE_CHANGED);
}

TEST_F(HookChainTest, OutcomeWithoutAStateIsFailed) {
  Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_UNSPECIFIED)));
  Add(MakeHook("b", Returns(static_cast<bus::v1::HookState>(99))));

  const auto results = RunChain();

  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(results[1].state(), bus::v1::HOOK_STATE_FAILED);
}

TEST_F(HookChainTest, WhatAHookSaysIsCutToTheContractAndValidUtf8) {
  Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_FAILED, "\xff" + std::string(4094, 'x') + "\xc3\xa4")));

  const std::string message = RunChain()[0].message();

  EXPECT_EQ(message, "?" + std::string(4094, 'x'));
}

TEST_F(HookChainTest, OverrunningHookIsAskedToStopAndTheOthersRun) {
  std::promise<bool> stopped;
  Add(MakeHook(
      "slow",
      [&](const client::EventContext& context, std::stop_token stop) {
        stopped.set_value(WaitForStop(stop) && context.stop().stop_requested());
        return HookOutcome{.state = bus::v1::HOOK_STATE_CHANGED};
      },
      kShort));
  Add(MakeHook("next", Returns(bus::v1::HOOK_STATE_CHANGED)));

  const auto results = RunChain();

  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_THAT(results[0].message(), HasSubstr("20 ms"));
  EXPECT_EQ(results[1].state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_TRUE(stopped.get_future().get());
  EXPECT_THAT(chain_.WaitForOverruns(kLong), IsEmpty());
}

TEST_F(HookChainTest, ShortLimitBehindALongOneIsKept) {
  Add(MakeHook("patient", Returns(bus::v1::HOOK_STATE_CHANGED), std::chrono::hours(1)));
  Add(MakeHook(
      "slow",
      [](const client::EventContext&, std::stop_token stop) {
        WaitForStop(stop);
        return HookOutcome{};
      },
      kShort));

  EXPECT_EQ(RunChain()[1].state(), bus::v1::HOOK_STATE_FAILED);
}

TEST_F(HookChainTest, HookThatHangsFailsUntilItCameBack) {
  std::latch release(1);
  int runs = 0;
  Add(MakeHook(
      "slow",
      [&](const client::EventContext&, std::stop_token) {
        if (++runs == 1) WaitFor(release);
        return HookOutcome{.state = bus::v1::HOOK_STATE_CHANGED};
      },
      kShort));
  EXPECT_EQ(RunChain("e1")[0].state(), bus::v1::HOOK_STATE_FAILED);

  const auto refused = RunChain("e2");

  EXPECT_EQ(refused[0].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_THAT(refused[0].message(), HasSubstr("still running for event e1"));
  EXPECT_THAT(chain_.WaitForOverruns(milliseconds(0)), ElementsAre("slow"));

  release.count_down();
  EXPECT_THAT(chain_.WaitForOverruns(kLong), IsEmpty());
  EXPECT_EQ(RunChain("e3")[0].state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(runs, 2);
}

TEST_F(HookChainTest, OverrunningHookMayGoOnUsingItsContext) {
  std::latch release(1);
  std::promise<std::string> seen;
  Add(MakeHook(
      "slow",
      [&](const client::EventContext& context, std::stop_token) {
        WaitFor(release);
        seen.set_value(context.event().event_id());
        return HookOutcome{};
      },
      kShort));
  RunChain("e1");  // its context is gone now

  release.count_down();

  EXPECT_EQ(seen.get_future().get(), "e1");
}

TEST_F(HookChainTest, DestructionJoinsAHookThatOverran) {
  std::atomic<bool> returned = false;
  {
    HookChain chain({}, clock_);
    std::latch stopped(1);
    ASSERT_TRUE(chain
                    .Add(MakeHook(
                        "slow",
                        [&](const client::EventContext&, std::stop_token stop) {
                          WaitForStop(stop);
                          stopped.count_down();
                          returned = true;
                          return HookOutcome{};
                        },
                        kShort))
                    .ok());
    chain.Run(client::EventContext(delivery_, nullptr, {}));
    ASSERT_TRUE(WaitFor(stopped)) << "waited 10 s for the hook to see its stop token";
  }
  EXPECT_TRUE(returned);
}

TEST_F(HookChainTest, StopOfTheDeliveryReachesTheHook) {
  std::stop_source session;
  std::latch running(1);
  Add(MakeHook("a", [&](const client::EventContext&, std::stop_token stop) {
    running.count_down();
    return HookOutcome{.state = WaitForStop(stop) ? bus::v1::HOOK_STATE_SKIPPED : bus::v1::HOOK_STATE_FAILED};
  }));
  std::thread stopper([&] {
    WaitFor(running);
    session.request_stop();
  });

  const auto results = RunChain("e1", session.get_token());

  stopper.join();
  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_SKIPPED);
}

TEST_F(HookChainTest, EventsOfDifferentKeysRunSideBySide) {
  std::latch both(2);
  Add(MakeHook("a", [&](const client::EventContext&, std::stop_token) {
    both.count_down();
    return HookOutcome{.state = WaitFor(both) ? bus::v1::HOOK_STATE_CHANGED : bus::v1::HOOK_STATE_FAILED};
  }));

  auto other = std::async(std::launch::async, [&] { return RunChain("e2"); });
  const auto results = RunChain("e1");

  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(other.get()[0].state(), bus::v1::HOOK_STATE_CHANGED);
}

TEST_F(HookChainTest, OneThreadServesAllEventsThatComeOneAfterTheOther) {
  std::set<std::thread::id> threads;
  for (const char* name : {"a", "b"}) {
    Add(MakeHook(name, [&](const client::EventContext&, std::stop_token) {
      threads.insert(std::this_thread::get_id());
      return HookOutcome{};
    }));
  }

  // A worker that has answered may need a moment until it is idle: a second one may be started, never one per event.
  for (int i = 0; i < 200; ++i) RunChain("e" + std::to_string(i));

  EXPECT_LE(threads.size(), 8u);
}

TEST_F(HookChainTest, HistoryAndStatisticsTellWhatHappened) {
  Add(MakeHook("a", Returns(bus::v1::HOOK_STATE_CHANGED, "done")));
  Add(MakeHook("b", Returns(bus::v1::HOOK_STATE_FAILED, "broken")));
  RunChain("e1");
  RunChain("e2");

  const auto executions = chain_.Executions({.hook = "b", .resource = "container/101"});
  const auto statistics = chain_.Statistics();

  ASSERT_EQ(executions.size(), 2u);
  EXPECT_EQ(executions[0].event_id(), "e2");
  EXPECT_EQ(executions[0].result().message(), "broken");
  EXPECT_GT(executions[0].start_time().seconds(), 1'600'000'000);
  ASSERT_EQ(statistics.size(), 2u);
  EXPECT_EQ(statistics[0].hook(), "a");
  EXPECT_EQ(statistics[0].succeeded_count(), 2u);
  EXPECT_EQ(statistics[1].failed_count(), 2u);
  EXPECT_EQ(Clear(), 4u);
  EXPECT_THAT(chain_.Executions({}), IsEmpty());
}

TEST_F(HookChainTest, DetailsOfAHookFollowItInTheResultAndAreFoundByWhatTheyAreAbout) {
  Add(MakeHook("a", [](const client::EventContext&, std::stop_token) {
    return HookOutcome{.message = "two",
                       .details = {{.state = bus::v1::HOOK_STATE_CHANGED, .resource = "storage/nas", .before = "b", .after = "a"},
                                   {.state = bus::v1::HOOK_STATE_SKIPPED, .resource = "storage/san", .message = "why"}}};
  }));
  Add(MakeHook("b", Returns(bus::v1::HOOK_STATE_UNCHANGED)));

  const auto results = RunChain("e1");
  const auto executions = chain_.Executions({.resource = "storage/san"});

  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].message(), "two");
  EXPECT_EQ(results[1].hook(), "a");
  EXPECT_EQ(results[1].resource(), "storage/nas");
  EXPECT_EQ(results[1].state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(results[1].after(), "a");
  EXPECT_EQ(results[2].message(), "why");
  EXPECT_EQ(results[3].hook(), "b");
  ASSERT_EQ(executions.size(), 1u);
  EXPECT_EQ(executions[0].result().message(), "why");
  EXPECT_EQ(executions[0].resource(), "container/101");
  EXPECT_EQ(chain_.Statistics()[0].total_count(), 1u);
}

TEST_F(HookChainTest, WhatAProgramLeftIsToldWithTheLastOfItsOutput) {
  Add(MakeHook("a", [](const client::EventContext&, std::stop_token) {
    const std::string output = "first" + std::string(4095, 'x') + "\xff";
    return HookOutcome{.exit_code = 0,
                       .output = output,
                       .details = {{.resource = "p", .exit_code = 137, .output = output, .duration = milliseconds(1500)},
                                   {.resource = "q", .duration = milliseconds(-1)}}};
  }));

  const auto results = RunChain("e1");

  ASSERT_EQ(results.size(), 3u);
  EXPECT_TRUE(results[0].has_exit_code());
  EXPECT_EQ(results[0].output(), std::string(4095, 'x') + "?");
  EXPECT_EQ(results[1].exit_code(), 137);
  EXPECT_EQ(results[1].output(), results[0].output());
  EXPECT_EQ(google::protobuf::util::TimeUtil::DurationToMilliseconds(results[1].duration()), 1500);
  EXPECT_FALSE(results[2].has_exit_code());
  EXPECT_EQ(results[2].duration().nanos(), 0) << "the bus refuses negative ones";
}

TEST_F(HookChainTest, OfTooManyDetailsThoseThatMatterStay) {
  Add(MakeHook("a", [](const client::EventContext&, std::stop_token) {
    HookOutcome outcome;
    for (int i = 0; i < 300; ++i) outcome.details.push_back({.state = bus::v1::HOOK_STATE_SKIPPED});
    outcome.details.push_back({.state = bus::v1::HOOK_STATE_FAILED, .resource = "storage/last"});
    return outcome;
  }));

  const auto results = RunChain("e1");

  ASSERT_EQ(results.size(), 1 + kMaxHookDetails);
  EXPECT_EQ(results[1].resource(), "storage/last");
  EXPECT_EQ(results.back().message(), "and 202 more");
}

TEST_F(HookChainTest, OfTooManyDetailsAFailedOneStaysWhateverTheOthersChanged) {
  Add(MakeHook("a", [](const client::EventContext&, std::stop_token) {
    HookOutcome outcome;
    for (int i = 0; i < 300; ++i) outcome.details.push_back({.state = bus::v1::HOOK_STATE_CHANGED});
    outcome.details.push_back({.state = bus::v1::HOOK_STATE_FAILED, .resource = "storage/last"});
    return outcome;
  }));

  EXPECT_EQ(RunChain("e1")[1].resource(), "storage/last");
}

TEST_F(HookChainTest, DetailWithoutAStateFailsTheHook) {
  Add(MakeHook("a", [](const client::EventContext&, std::stop_token) {
    return HookOutcome{.details = {{.state = bus::v1::HOOK_STATE_UNSPECIFIED, .resource = "storage/nas"}}};
  }));

  const auto results = RunChain("e1");

  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(results[0].message(), "it ended storage/nas with the unknown state 0");
}

TEST_F(HookChainTest, DurationsAreThoseOfTheClock) {
  FakeClock clock;
  HookChain chain({}, clock);
  ASSERT_TRUE(chain
                  .Add(MakeHook("a",
                                [&](const client::EventContext&, std::stop_token) {
                                  clock.Advance(milliseconds(1500));
                                  return HookOutcome{};
                                }))
                  .ok());

  const auto results = chain.Run(client::EventContext(delivery_, nullptr, {}));

  EXPECT_EQ(google::protobuf::util::TimeUtil::DurationToMilliseconds(results[0].duration()), 1500);
}

}  // namespace
}  // namespace pvebus::hooks
