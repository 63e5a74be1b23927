#include "network-service/upkeep/apply_upkeep.h"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing_fake_node.h"
#include "network-service/core/testing_memory_apply_store.h"
#include "sdk/base/error.h"

namespace pvebus::network {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr seconds kPatience{10};
constexpr char kOld[] = "auto eno1\niface eno1 inet manual\n";
constexpr char kNew[] = "auto eno1\niface eno1 inet manual\n\tmtu 9000\n";

// What happened on other threads, for a test that waits for it.
class Diary final : public Logger {
 public:
  void Note(std::string what) {
    MutexLock lock(mu_);
    notes_.push_back(std::move(what));
    changed_.NotifyAll();
  }
  void Write(LogLevel, std::string_view line) override { Note(std::string(line)); }

  // The next one; "nothing" when none came in time.
  std::string Next() {
    const SteadyTime deadline = std::chrono::steady_clock::now() + kPatience;
    MutexLock lock(mu_);
    while (notes_.empty()) {
      if (!changed_.WaitUntil(mu_, deadline)) return "nothing";
    }
    std::string note = std::move(notes_.front());
    notes_.pop_front();
    return note;
  }
  bool empty() {
    MutexLock lock(mu_);
    return notes_.empty();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<std::string> notes_ ABSL_GUARDED_BY(mu_);
};

class ApplyUpkeepTest : public testing::Test {
 protected:
  ApplyUpkeepTest() { node_.PutInForce(kOld); }

  void Make(Duration pause) {
    upkeep_ = std::make_unique<ApplyUpkeep>(applier_, lines_, pause);
    told_ = upkeep_.get();
  }
  void Start(Duration pause = milliseconds(20)) {
    Make(pause);
    upkeep_->Start();
  }
  void StartAndRecover() {
    Start();
    ASSERT_EQ(notices_.Next(), "notice") << "waited for the recovery";
  }
  // What an earlier process left.
  void Leave(ApplyRecord record) {
    record.apply_id = "left";
    record.old_file = kOld;
    record.new_file = kNew;
    record.old_interfaces = kOld;
    record.new_interfaces = kNew;
    ASSERT_TRUE(store_.Add(record, {}, std::nullopt).ok());
    node_.PutInForce(kNew);
  }
  ApplyRecord Newest() {
    const auto records = store_.List(0, 1);
    return records.ok() && !records->empty() ? records->front() : ApplyRecord();
  }
  ApplyState WaitForEnd(const std::string& apply_id) {
    for (;;) {
      if (notices_.Next() == "nothing") return ApplyState::kApplying;
      const auto record = store_.Find(apply_id);
      if (record.ok() && *record && !IsUnderWay((*record)->state)) return (*record)->state;
    }
  }

  RealClock clock_;
  NullLogger silence_;
  FakeNode node_;
  MemoryApplyStore store_;
  Diary notices_;
  Diary lines_;
  int ids_ = 0;
  NetworkApplier applier_{node_,
                          store_,
                          clock_,
                          silence_,
                          {.boot_id = "boot",
                           .new_id = [this] { return absl::StrFormat("id%d", ++ids_); },
                           .on_deadline =
                               [this] {
                                 if (ApplyUpkeep* upkeep = told_) upkeep->OnDeadline();
                               },
                           .on_notice = [this] { notices_.Note("notice"); }}};
  // The one that the applier tells of deadlines; also while it ends.
  std::atomic<ApplyUpkeep*> told_ = nullptr;
  std::unique_ptr<ApplyUpkeep> upkeep_;
};

TEST_F(ApplyUpkeepTest, WhatAnEarlierProcessLeftIsUndoneFirst) {
  Leave({.state = ApplyState::kApplying});

  Start();

  EXPECT_EQ(WaitForEnd("left"), ApplyState::kFailed);
  upkeep_.reset();
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(ApplyUpkeepTest, WhoWantsToApplyWaitsForTheRecovery) {
  node_.staged = kNew;
  std::optional<absl::StatusOr<ApplyRecord>> applied;
  std::jthread caller([&] { applied = applier_.Apply({}, {}); });

  Start();
  caller.join();

  ASSERT_TRUE(applied->ok()) << applied->status();
  EXPECT_EQ((*applied)->state, ApplyState::kCommitted);
}

TEST_F(ApplyUpkeepTest, WhileTheStoreCannotBeReadNobodyWaitsForTheRecovery) {
  store_.FailNextRead(absl::UnavailableError("the disk is gone"), 0, 1'000'000);
  std::optional<absl::StatusOr<ApplyRecord>> before;
  std::jthread caller([&] { before = applier_.Apply({}, {}); });
  Start();
  caller.join();
  const absl::Status after = applier_.Confirm("", false).status();

  for (const absl::Status& status : {before->status(), after}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ErrorReason(status), "RECOVERY_PENDING");
  }
}

TEST_F(ApplyUpkeepTest, AStoreThatCannotBeReadIsReadAgainAndSaidOnce) {
  Leave({.state = ApplyState::kApplying});
  store_.FailNextRead(absl::UnavailableError("the disk is gone"), 0, 3);

  Start();

  EXPECT_THAT(lines_.Next(), HasSubstr("the disk is gone"));
  EXPECT_EQ(WaitForEnd("left"), ApplyState::kFailed);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(ApplyUpkeepTest, WhatIsNotConfirmedInTimeIsTakenBack) {
  StartAndRecover();
  node_.staged = kNew;
  const SteadyTime before = std::chrono::steady_clock::now();
  const auto applied = applier_.Apply({.confirm_timeout = seconds(1)}, {});
  ASSERT_TRUE(applied.ok()) << applied.status();

  EXPECT_EQ(WaitForEnd(applied->apply_id), ApplyState::kReverted);

  EXPECT_GE(std::chrono::steady_clock::now() - before, seconds(1));
  EXPECT_EQ(Newest().failure.reason, "NOT_CONFIRMED");
}

TEST_F(ApplyUpkeepTest, TheTimeToConfirmGoesOnOverARestart) {
  Leave({.state = ApplyState::kAwaitingConfirmation,
         .confirm_timeout = hours(1),
         .confirm_until = clock_.SystemNow() + milliseconds(100)});

  Start();

  EXPECT_EQ(WaitForEnd("left"), ApplyState::kReverted);
}

TEST_F(ApplyUpkeepTest, WhatCannotBeTakenBackYetIsTriedAgain) {
  Leave({.state = ApplyState::kAwaitingConfirmation, .confirm_until = clock_.SystemNow()});
  // Of Recover two, then of the first look at what awaits.
  store_.FailNextRead(absl::UnavailableError("the disk is gone"), 2, 3);

  Start();

  EXPECT_EQ(WaitForEnd("left"), ApplyState::kReverted);
}

TEST_F(ApplyUpkeepTest, WhatOthersWroteIsTold) {
  StartAndRecover();

  node_.PutInForce(kNew);
  upkeep_->OnFiles();

  ASSERT_EQ(notices_.Next(), "notice") << "waited for the change to be noticed";
  EXPECT_EQ(Newest().source, ApplySource::kFile);
  EXPECT_EQ(Newest().new_interfaces, store_.Known()->value().interfaces);
}

TEST_F(ApplyUpkeepTest, FilesThatCannotBeReadAreReadAgain) {
  StartAndRecover();

  node_.PutInForce(kNew);
  node_.failures["ReadApplied"] = absl::UnavailableError("the disk is gone");
  upkeep_->OnFiles();

  ASSERT_EQ(notices_.Next(), "notice") << "waited for the change to be noticed";
  EXPECT_EQ(Newest().source, ApplySource::kFile);
}

TEST_F(ApplyUpkeepTest, FilesThatChangeWhileOthersAreReadAreReadAgain) {
  StartAndRecover();
  Diary waits, go_on;
  node_.during_wait = [&](const std::stop_token&) {
    waits.Note("waits");
    go_on.Next();
  };
  upkeep_->OnFiles();
  ASSERT_EQ(waits.Next(), "waits");

  upkeep_->OnFiles();
  go_on.Note("first");

  EXPECT_EQ(waits.Next(), "waits");
  go_on.Note("second");
  upkeep_.reset();
}

// How it ends in each of its waits. None of them takes long.
class ApplyUpkeepStopTest : public ApplyUpkeepTest {
 protected:
  void ExpectEndsSoon() {
    const SteadyTime before = std::chrono::steady_clock::now();
    upkeep_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));
  }
};

TEST_F(ApplyUpkeepStopTest, ItEndsWhenItWasNeverStarted) {
  Make(seconds(1));
  ExpectEndsSoon();
}

TEST_F(ApplyUpkeepStopTest, ItEndsWhenItWasJustStarted) {
  for (int i = 0; i < 20; ++i) {
    Make(seconds(1));
    store_.FailNextRead(absl::UnavailableError("the disk is gone"));
    upkeep_->Start();
    ExpectEndsSoon();
  }
}

TEST_F(ApplyUpkeepStopTest, ItEndsWhenThereIsNothingToDo) {
  StartAndRecover();
  ExpectEndsSoon();
}

TEST_F(ApplyUpkeepStopTest, ItEndsWhileItWaitsForADeadline) {
  Leave(
      {.state = ApplyState::kAwaitingConfirmation, .confirm_timeout = hours(1), .confirm_until = clock_.SystemNow() + hours(1)});
  StartAndRecover();

  ExpectEndsSoon();

  EXPECT_EQ((*store_.Find("left"))->state, ApplyState::kAwaitingConfirmation);
}

TEST_F(ApplyUpkeepStopTest, ItEndsWhileTheStoreCannotBeRead) {
  store_.FailNextRead(absl::UnavailableError("the disk is gone"), 0, 1'000'000);
  Start(hours(1));
  ASSERT_THAT(lines_.Next(), HasSubstr("the disk is gone"));

  ExpectEndsSoon();
}

TEST_F(ApplyUpkeepStopTest, ItEndsBeforeWhatDidNotWorkIsTriedAgain) {
  Diary reads;
  Start(hours(1));
  ASSERT_EQ(notices_.Next(), "notice") << "waited for the recovery";
  node_.failures["ReadApplied"] = absl::UnavailableError("the disk is gone");
  node_.before_call = [&](const std::string& call) { reads.Note(call); };
  upkeep_->OnFiles();
  ASSERT_EQ(reads.Next(), "WaitForOtherReloads");
  ASSERT_EQ(reads.Next(), "ReadApplied");

  ExpectEndsSoon();
}

TEST_F(ApplyUpkeepStopTest, ItEndsWhileItWaitsForReloadsOfOthers) {
  StartAndRecover();
  Diary waits;
  node_.during_wait = [&](const std::stop_token& stop) {
    Diary stopped;
    const std::stop_callback wake(stop, [&] { stopped.Note("stopped"); });
    waits.Note("waits");
    stopped.Next();
  };
  upkeep_->OnFiles();
  ASSERT_EQ(waits.Next(), "waits");

  ExpectEndsSoon();
}

}  // namespace
}  // namespace pvebus::network
