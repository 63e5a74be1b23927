#include "migration-service/core/migration_state.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using Entered = MigrationState::Entered;

constexpr SystemTime kNoon{std::chrono::seconds(1'700'000'000)};

const std::vector<GateVerdict> kOpen = {{"transactions", true, "10 of 10"}};
const std::vector<GateVerdict> kClosed = {{"failure-share", true, "none"}, {"transactions", false, "3 of 10"}};

PhaseOrder To(Phase phase, const std::string& event_id) { return {.to = phase, .event_id = event_id, .time = kNoon}; }
PhaseOrder Forced(Phase phase, const std::string& event_id) {
  PhaseOrder order = To(phase, event_id);
  order.force = true;
  order.reason = "because";
  return order;
}

class MigrationStateTest : public testing::Test {
 protected:
  // As after a restart.
  void Load() { state_ = *MigrationState::Load(store_); }

  Entered Enter(const PhaseOrder& order, const std::vector<GateVerdict>& gates = {}) {
    const auto entered = state_->Enter(order, gates);
    EXPECT_TRUE(entered.ok()) << entered.status();
    return entered.value_or(Entered::kUnchanged);
  }
  bool Count(const std::string& event_id) {
    const auto counted = state_->CountTransaction(event_id);
    EXPECT_TRUE(counted.ok()) << counted.status();
    return counted.value_or(false);
  }
  Phase phase() const { return state_->status().phase; }
  size_t History() { return store_.Changes(0, 1000)->size(); }
  // What is in memory is what a restart would find, but for reports.
  void ExpectAsKept() {
    const MigrationState::Status status = state_->status();
    const MigrationRecord kept = *store_.Load();
    EXPECT_EQ(status.last_change, kept.last_change);
    EXPECT_EQ(status.transactions, kept.transactions);
    EXPECT_EQ(status.phase_transactions, kept.phase_transactions);
    EXPECT_EQ(status.last_transaction_event_id, kept.last_transaction_event_id);
  }

  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
};

TEST_F(MigrationStateTest, BeginsWithPerlOnlyAndNothingCounted) {
  const MigrationState::Status status = state_->status();

  EXPECT_EQ(status.phase, Phase::kPerlOnly);
  EXPECT_EQ(status.last_change, std::nullopt);
  EXPECT_EQ(status.transactions, 0u);
  EXPECT_EQ(status.phase_transactions, 0u);
  EXPECT_EQ(status.last_transaction_event_id, "");
  EXPECT_EQ(status.reports, ReportCounts{});
}

// The reason of the refusal, or nothing: the rules once more, in other words.
std::string RefusalOf(Phase from, const PhaseOrder& order, bool open) {
  const int steps = static_cast<int>(order.to) - static_cast<int>(from);
  if (steps == 0) return "";
  if (order.from && *order.from != from) return "PHASE_CHANGED";
  if (steps < 0) return "";
  if (steps == 1 && open) return "";
  if (order.force) return order.reason.empty() ? "REASON_MISSING" : "";
  return steps > 1 ? "PHASE_JUMP" : "GATES_CLOSED";
}

// Calls check(from, order, open) for all of them.
void ForAllOrders(const std::function<void(Phase, const PhaseOrder&, bool)>& check) {
  for (const Phase from : kPhases) {
    for (const Phase to : kPhases) {
      for (int bits = 0; bits < 16; ++bits) {
        for (size_t decided_in = 0; decided_in <= kPhases.size(); ++decided_in) {
          PhaseOrder order{.to = to,
                           .force = (bits & 1) != 0,
                           .automatic = (bits & 2) != 0,
                           .reason = (bits & 4) != 0 ? "because" : "",
                           .requested_by = "somebody",
                           .event_id = "order",
                           .time = kNoon};
          if (decided_in < kPhases.size()) order.from = kPhases[decided_in];
          SCOPED_TRACE(testing::Message() << PhaseName(from) << " to " << PhaseName(to) << " bits " << bits << " from "
                                          << decided_in);
          check(from, order, (bits & 8) != 0);
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

TEST_F(MigrationStateTest, EveryOrderInEveryPhaseIsDoneOrRefusedAsTheRulesSay) {
  ForAllOrders([](Phase from, const PhaseOrder& order, bool open) {
    MemoryMigrationStore store;
    const auto state = *MigrationState::Load(store);
    ASSERT_TRUE(state->Enter(Forced(from, "first"), {}).ok());
    ASSERT_TRUE(state->CountTransaction("transaction").ok());
    const MigrationRecord before = *store.Load();
    const std::string etag = state->status().etag();

    const absl::Status checked = state->Check(order, open ? kOpen : kClosed);
    const auto entered = state->Enter(order, open ? kOpen : kClosed);

    const std::string refusal = RefusalOf(from, order, open);
    EXPECT_EQ(ErrorReason(checked), refusal);
    EXPECT_EQ(ErrorReason(entered.status()), refusal);
    if (!refusal.empty() || order.to == from) {
      EXPECT_EQ(entered.value_or(Entered::kUnchanged), Entered::kUnchanged);
      EXPECT_EQ(*store.Load(), before);
      EXPECT_EQ(state->status().etag(), etag);
      return;
    }
    EXPECT_EQ(*entered, Entered::kChanged);
    const PhaseChange expected{.number = before.last_change ? 2u : 1u,
                               .from = from,
                               .to = order.to,
                               .forced = order.to > from && (!open || PhaseAfter(from) != order.to),
                               .automatic = order.automatic,
                               .reason = order.reason,
                               .requested_by = "somebody",
                               .event_id = "order",
                               .time = kNoon,
                               .transactions = 1};
    EXPECT_EQ(state->status().last_change, expected);
    EXPECT_EQ(state->status().phase, order.to);
    EXPECT_EQ(state->status().transactions, 1u);
    EXPECT_EQ(state->status().phase_transactions, 0u);
    EXPECT_NE(state->status().etag(), etag);
    EXPECT_EQ(store.Load()->last_change, expected);
  });
}

TEST_F(MigrationStateTest, RefusalSaysWhatToDo) {
  EXPECT_EQ(state_->Check(To(Phase::kRustSdn, "e"), kOpen).code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status closed = state_->Check(To(Phase::kRustReadOnly, "e"), kClosed);
  EXPECT_EQ(ErrorMetadata(closed)["gates"], "transactions");
}

TEST_F(MigrationStateTest, ForwardOneStepAtATimeToTheEndAndBackAtOnce) {
  for (size_t i = 1; i < kPhases.size(); ++i) {
    EXPECT_EQ(Enter(To(kPhases[i], absl::StrFormat("e%d", i)), kOpen), Entered::kChanged);
    EXPECT_FALSE(state_->status().last_change->forced);
  }
  EXPECT_EQ(phase(), Phase::kRustFull);

  EXPECT_EQ(Enter(To(Phase::kPerlOnly, "back"), kClosed), Entered::kChanged);

  EXPECT_EQ(phase(), Phase::kPerlOnly);
  EXPECT_FALSE(state_->status().last_change->forced);
  EXPECT_EQ(History(), 6u);
}

TEST_F(MigrationStateTest, EtagIsAnotherOneAfterEveryChangeAlsoBackToTheSamePhase) {
  Enter(To(Phase::kRustReadOnly, "e1"));
  const std::string etag = state_->status().etag();
  Count("t");
  EXPECT_EQ(state_->status().etag(), etag);
  Enter(To(Phase::kPerlOnly, "e2"));
  Enter(To(Phase::kRustReadOnly, "e3"));

  EXPECT_NE(state_->status().etag(), etag);
  const std::string now = state_->status().etag();
  Load();
  EXPECT_EQ(state_->status().etag(), now);
}

TEST_F(MigrationStateTest, EventThatComesAgainDoesNotUndoALaterOne) {
  Enter(To(Phase::kRustReadOnly, "e1"));
  Enter(To(Phase::kPerlOnly, "e2"));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(Enter(To(Phase::kRustReadOnly, "e1")), Entered::kRepeated);
    EXPECT_EQ(Enter(To(Phase::kPerlOnly, "e2")), Entered::kRepeated);
    EXPECT_EQ(phase(), Phase::kPerlOnly);
    EXPECT_EQ(History(), 2u);
    Load();
  }
}

TEST_F(MigrationStateTest, RepeatedEventIsNoErrorWhateverHoldsNow) {
  PhaseOrder order = To(Phase::kRustReadOnly, "e1");
  order.from = Phase::kPerlOnly;
  Enter(order, kOpen);
  Enter(Forced(Phase::kRustSdn, "e2"));

  EXPECT_EQ(Enter(order, kClosed), Entered::kRepeated);
}

TEST_F(MigrationStateTest, OrderThatComesLateIsRefusedWhenItSaysWhatItWasDecidedIn) {
  Enter(To(Phase::kRustReadOnly, "e1"));
  PhaseOrder late = To(Phase::kRustBasicWrite, "e2");
  late.from = Phase::kRustReadOnly;
  PhaseOrder back = To(Phase::kPerlOnly, "e3");
  back.from = Phase::kRustReadOnly;
  Enter(back);

  EXPECT_EQ(ErrorReason(state_->Enter(late, {}).status()), "PHASE_CHANGED");

  EXPECT_EQ(phase(), Phase::kPerlOnly);
}

TEST_F(MigrationStateTest, OfTwoOrdersDecidedInOnePhaseOneIsDone) {
  for (const bool reversed : {false, true}) {
    MemoryMigrationStore store;
    const auto state = *MigrationState::Load(store);
    ASSERT_TRUE(state->Enter(Forced(Phase::kRustSdn, "first"), {}).ok());
    std::vector<PhaseOrder> orders = {To(Phase::kRustAdvanced, "a"), To(Phase::kPerlOnly, "b")};
    for (PhaseOrder& order : orders) order.from = Phase::kRustSdn;
    if (reversed) std::swap(orders[0], orders[1]);

    ASSERT_TRUE(state->Enter(orders[0], {}).ok());

    EXPECT_EQ(ErrorReason(state->Enter(orders[1], {}).status()), "PHASE_CHANGED");
    EXPECT_EQ(state->status().phase, orders[0].to);
  }
}

TEST_F(MigrationStateTest, ChangesWithoutAnEventAreEachTheirOwn) {
  EXPECT_EQ(Enter(To(Phase::kRustReadOnly, "")), Entered::kChanged);
  EXPECT_EQ(Enter(To(Phase::kPerlOnly, "")), Entered::kChanged);
  EXPECT_EQ(History(), 2u);
}

TEST_F(MigrationStateTest, TransactionsAreCountedOnceInAllAndPerPhase) {
  EXPECT_TRUE(Count("t1"));
  EXPECT_TRUE(Count("t2"));
  EXPECT_FALSE(Count("t1"));
  Enter(To(Phase::kRustReadOnly, "e1"));
  EXPECT_FALSE(Count("t2"));
  EXPECT_TRUE(Count("t3"));

  const MigrationState::Status status = state_->status();
  EXPECT_EQ(status.transactions, 3u);
  EXPECT_EQ(status.phase_transactions, 1u);
  EXPECT_EQ(status.last_transaction_event_id, "t3");
  EXPECT_EQ(status.last_change->transactions, 2u);
}

TEST_F(MigrationStateTest, DuplicatesInAnyOrderCountOnce) {
  std::vector<std::string> deliveries;
  deliveries.reserve(300);
  for (int i = 0; i < 300; ++i) deliveries.push_back(absl::StrFormat("t%d", i % 100));
  std::shuffle(deliveries.begin(), deliveries.end(), std::mt19937(7));
  int restart = 0;
  for (const std::string& event_id : deliveries) {
    Count(event_id);
    if (++restart % 13 == 0) Load();
  }

  EXPECT_EQ(state_->status().transactions, 100u);
  ExpectAsKept();
}

TEST_F(MigrationStateTest, ReportsAreKeptWhenAskedTo) {
  state_->Report(false);
  state_->Report(true);
  EXPECT_EQ(state_->status().reports, (ReportCounts{2, 1}));
  EXPECT_EQ(store_.Load()->reports, ReportCounts{});

  ASSERT_TRUE(state_->KeepReports().ok());

  Load();
  EXPECT_EQ(state_->status().reports, (ReportCounts{2, 1}));
  state_->Report(true);
  ASSERT_TRUE(state_->KeepReports().ok());
  EXPECT_EQ(store_.Load()->reports, (ReportCounts{3, 2}));
}

TEST_F(MigrationStateTest, WithoutNewReportsNothingIsWritten) {
  store_.FailNext(absl::InternalError("written"));

  EXPECT_TRUE(state_->KeepReports().ok());
}

TEST_F(MigrationStateTest, ReportsThatCouldNotBeKeptAreKeptTheNextTime) {
  state_->Report(true);
  store_.FailNext(absl::ResourceExhaustedError("no room"));
  EXPECT_EQ(state_->KeepReports().code(), absl::StatusCode::kResourceExhausted);
  state_->Report(false);

  ASSERT_TRUE(state_->KeepReports().ok());

  EXPECT_EQ(store_.Load()->reports, (ReportCounts{2, 1}));
}

TEST_F(MigrationStateTest, ReportsBeginAnewWithThePhase) {
  state_->Report(true);
  ASSERT_TRUE(state_->KeepReports().ok());
  state_->Report(true);

  Enter(To(Phase::kRustReadOnly, "e1"));

  EXPECT_EQ(state_->status().reports, ReportCounts{});
  ASSERT_TRUE(state_->KeepReports().ok());
  EXPECT_EQ(store_.Load()->reports, ReportCounts{});
}

TEST_F(MigrationStateTest, StateThatCannotBeReadIsNotLoaded) {
  store_.FailNextRead(absl::DataLossError("damaged"));

  EXPECT_EQ(MigrationState::Load(store_).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(MigrationStateTest, NothingIsChangedWhenTheStoreFailsBefore) {
  Enter(To(Phase::kRustReadOnly, "e1"));
  Count("t1");
  const MigrationRecord before = *store_.Load();
  store_.FailNextRead(absl::UnavailableError("read"));
  EXPECT_EQ(state_->Enter(To(Phase::kRustBasicWrite, "e2"), {}).status().message(), "read");
  store_.FailNext(absl::UnavailableError("write"), 0, 2);
  EXPECT_EQ(state_->Enter(To(Phase::kRustBasicWrite, "e2"), {}).status().message(), "write");
  EXPECT_EQ(state_->CountTransaction("t2").status().message(), "write");

  EXPECT_EQ(phase(), Phase::kRustReadOnly);
  EXPECT_EQ(state_->status().transactions, 1u);
  EXPECT_EQ(*store_.Load(), before);
  EXPECT_EQ(Enter(To(Phase::kRustBasicWrite, "e2")), Entered::kChanged);
  EXPECT_TRUE(Count("t2"));
}

TEST_F(MigrationStateTest, WhatWasKeptInSpiteOfAnErrorIsNotDoneAgain) {
  state_->Report(true);
  store_.FailNextAfter(absl::UnavailableError("late"));
  EXPECT_FALSE(state_->CountTransaction("t1").ok());
  EXPECT_FALSE(Count("t1"));
  EXPECT_EQ(state_->status().transactions, 1u);
  EXPECT_EQ(state_->status().reports, (ReportCounts{1, 1})) << "those not written down yet stay";
  store_.FailNextAfter(absl::UnavailableError("late"));
  EXPECT_FALSE(state_->Enter(To(Phase::kRustReadOnly, "e1"), {}).ok());

  EXPECT_EQ(Enter(To(Phase::kRustReadOnly, "e1")), Entered::kRepeated);

  EXPECT_EQ(phase(), Phase::kRustReadOnly);
  EXPECT_EQ(state_->status().reports, ReportCounts{});
  EXPECT_EQ(Enter(To(Phase::kRustBasicWrite, "e2")), Entered::kChanged);
  EXPECT_EQ(state_->status().last_change->number, 2u);
  ExpectAsKept();
}

TEST_F(MigrationStateTest, WhileItIsNotKnownWhatWasKeptNothingIsChanged) {
  store_.FailNextAfter(absl::UnavailableError("late"));
  EXPECT_FALSE(state_->Enter(To(Phase::kRustReadOnly, "e1"), {}).ok());
  store_.FailNextRead(absl::UnavailableError("read"), 0, 3);

  EXPECT_FALSE(state_->Enter(To(Phase::kRustBasicWrite, "e2"), {}).ok());
  EXPECT_FALSE(state_->CountTransaction("t1").ok());
  EXPECT_FALSE(state_->KeepReports().ok());

  EXPECT_TRUE(Count("t1"));
  EXPECT_EQ(phase(), Phase::kRustReadOnly);
  EXPECT_EQ(state_->status().phase_transactions, 1u);
}

// A history as events tell it: every step, and what it comes to.
struct Step {
  std::string event_id;
  std::optional<Phase> to;  // none: a transaction
};
const std::vector<Step> kStory = {{"t1", {}},
                                  {"e1", Phase::kRustReadOnly},
                                  {"t2", {}},
                                  {"t3", {}},
                                  {"e2", Phase::kRustBasicWrite},
                                  {"t4", {}},
                                  {"e3", Phase::kPerlOnly},
                                  {"e4", Phase::kRustReadOnly},
                                  {"t5", {}}};

class MigrationStoryTest : public MigrationStateTest {
 protected:
  // What the bus would see: anything but an error is an acknowledgement.
  bool Deliver(const Step& step) {
    return step.to ? state_->Enter(To(*step.to, step.event_id), kOpen).ok() : state_->CountTransaction(step.event_id).ok();
  }
  void Fail(bool after) {
    after ? store_.FailNextAfter(absl::UnavailableError("failed")) : store_.FailNext(absl::UnavailableError("failed"));
  }
  void ExpectTheEnd() {
    const MigrationState::Status status = state_->status();
    EXPECT_EQ(status.phase, Phase::kRustReadOnly);
    EXPECT_EQ(status.last_change->number, 4u);
    EXPECT_EQ(status.last_change->event_id, "e4");
    EXPECT_EQ(status.transactions, 5u);
    EXPECT_EQ(status.phase_transactions, 1u);
    const std::vector<PhaseChange> changes = *store_.Changes(0, 100);
    ASSERT_EQ(changes.size(), 4u);
    EXPECT_EQ(changes[0].transactions, 0u);
    EXPECT_EQ(changes[1].transactions, 1u);
    EXPECT_EQ(changes[2].transactions, 2u);
    EXPECT_EQ(changes[3].transactions, 1u);
    ExpectAsKept();
  }
};

TEST_F(MigrationStoryTest, RestartAtEveryStepLosesAndRepeatsNothing) {
  for (const Step& step : kStory) {
    ASSERT_TRUE(Deliver(step));
    Load();
    ExpectAsKept();
    ASSERT_TRUE(Deliver(step)) << "delivered again to the next process";
  }

  ExpectTheEnd();
}

struct Failure {
  size_t step;
  bool after;
  bool restart;
};
class MigrationStoryFailureTest : public MigrationStoryTest, public testing::WithParamInterface<Failure> {};

TEST_P(MigrationStoryFailureTest, StoreThatFailsAtOneStepLosesAndRepeatsNothing) {
  for (size_t i = 0; i < kStory.size(); ++i) {
    if (i == GetParam().step) {
      Fail(GetParam().after);
      EXPECT_FALSE(Deliver(kStory[i]));
      if (GetParam().restart) Load();
    }
    ASSERT_TRUE(Deliver(kStory[i]));
  }

  ExpectTheEnd();
}

std::vector<Failure> AllFailures() {
  std::vector<Failure> failures;
  for (size_t step = 0; step < kStory.size(); ++step) {
    for (const bool after : {false, true}) {
      for (const bool restart : {false, true}) failures.push_back({step, after, restart});
    }
  }
  return failures;
}

INSTANTIATE_TEST_SUITE_P(AtEveryStep, MigrationStoryFailureTest, testing::ValuesIn(AllFailures()), [](const auto& failure) {
  return absl::StrFormat("Step%d%s%s", failure.param.step, failure.param.after ? "After" : "Before",
                         failure.param.restart ? "Restarted" : "");
});

TEST_F(MigrationStoryTest, EverythingDeliveredAgainChangesNothing) {
  for (const Step& step : kStory) ASSERT_TRUE(Deliver(step));
  const MigrationRecord before = *store_.Load();
  std::vector<Step> again = kStory;
  std::shuffle(again.begin(), again.end(), std::mt19937(3));

  for (const Step& step : again) ASSERT_TRUE(Deliver(step));

  EXPECT_EQ(*store_.Load(), before);
  ExpectTheEnd();
}

TEST_F(MigrationStateTest, ManyThreadsCountEachEventOnceWhileThePhaseChanges) {
  constexpr int kEvents = 100;
  std::atomic<int> counted = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEvents; ++i) {
        counted += *state_->CountTransaction(absl::StrFormat("t%d", i)) ? 1 : 0;
        state_->Report(i % 2 == 0);
        if (i % 10 == 0) {
          EXPECT_TRUE(state_->Enter(Forced(kPhases[static_cast<size_t>(t)], absl::StrFormat("e%d/%d", t, i)), {}).ok());
          EXPECT_TRUE(state_->KeepReports().ok());
        }
        (void)state_->status().etag();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(counted, kEvents);
  EXPECT_EQ(state_->status().transactions, static_cast<uint64_t>(kEvents));
  uint64_t sum = state_->status().phase_transactions;
  const std::vector<PhaseChange> changes = *store_.Changes(0, 1000);
  for (const PhaseChange& change : changes) sum += change.transactions;
  EXPECT_EQ(sum, static_cast<uint64_t>(kEvents));
  ExpectAsKept();
}

}  // namespace
}  // namespace pvebus::migration
