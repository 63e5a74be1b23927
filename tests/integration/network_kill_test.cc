// network-service is killed at one system call of what it does after the other: the old configuration or the new one, and the bus
// is told once.
#include "tests/integration/network_fault.h"

namespace pvebus::testing {
namespace {

using ::testing::ElementsAre;

// What changes files and the database, what runs ifreload, and what talks with the bus and the caller.
constexpr const char* kCalls[] = {"flock",  "linkat", "renameat",   "unlinkat", "fsync", "fdatasync", "pwrite64",
                                  "fchmod", "clone3", "pidfd_open", "waitid",   "poll",  "sendmsg",   "recvmsg"};

class NetworkKillTest : public NetworkFaultFixture {
 protected:
  // Kills the service at the first call of each kind in `act`, at the second, ... until it is not killed; then it is started
  // again, and `check` gets the answer of `act`.
  template <typename Prepare, typename Act, typename Check>
  void KillEverywhere(Prepare prepare, Act act, Check check) {
    for (const char* call : kCalls) {
      bool killed = true;
      for (int n = 1; killed; ++n) {
        SCOPED_TRACE(absl::StrFormat("killed at %s number %d", call, n));
        ASSERT_LE(n, 200) << "it never ends";
        prepare();
        absl::Status answer;
        {
          const Fault fault(service_->process().pid(), call, "signal=SIGKILL", n);
          answer = act();
        }
        // Who is not answered because it was killed knows that before it is gone.
        const bool unanswered = absl::IsUnavailable(answer);
        killed = service_->process().WaitExit(unanswered ? kPatience : std::chrono::milliseconds(0)).has_value();
        ASSERT_EQ(unanswered && !killed, false) << answer;
        if (killed) Start();
        WaitUntilQuiet();
        check(answer);
        if (HasFailure()) return;
      }
    }
  }
};

TEST_F(NetworkKillTest, AnApplyThatIsKilledAnywhereIsDoneOrUndoneAndToldOnce) {
  int undone = 0;
  int done = 0;

  KillEverywhere([&] { Stage(); }, [&] { return ApplyStaged().status(); },
                 [&](const absl::Status& answer) {
                   if (folder_.Read("interfaces") == staged_) {
                     ++done;
                     ExpectDone(network::v1::APPLY_SOURCE_PENDING);
                     return;
                   }
                   EXPECT_FALSE(answer.ok()) << "it was said to be in force";
                   if (Newest().apply_id() == newest_) {
                     ExpectUntouched();
                   } else {
                     ++undone;
                     ExpectUndone("INTERRUPTED");
                   }
                 });

  EXPECT_GE(undone, 20);
  EXPECT_GE(done, 20);
}

TEST_F(NetworkKillTest, ARevertBeforeConfirmationThatIsKilledAnywhereIsDoneOrAsksAgain) {
  int reverted = 0;
  int awaiting = 0;

  KillEverywhere(
      [&] {
        Stage();
        const auto apply = ApplyStaged(WithConfirmation(std::chrono::hours(1)));
        ASSERT_TRUE(apply.ok()) << apply.status();
        newest_ = apply->apply_id();
      },
      [&] { return Revert().status(); },
      [&](const absl::Status& answer) {
        const Apply apply = Newest();
        ASSERT_EQ(apply.apply_id(), newest_);
        if (apply.state() == network::v1::APPLY_STATE_AWAITING_CONFIRMATION) {
          ++awaiting;
          EXPECT_FALSE(answer.ok()) << "it was said to be taken back";
          EXPECT_EQ(folder_.Read("interfaces"), staged_);
          EXPECT_EQ(folder_.Read("interfaces.new"), kNone);
          EXPECT_EQ(folder_.InForce(), staged_);
          EXPECT_THAT(ToldSince(), ElementsAre("network_applied"));
          const auto again = Revert();
          ASSERT_TRUE(again.ok()) << again.status();
          WaitUntilQuiet();
        } else {
          ++reverted;
          EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_REVERTED);
          EXPECT_EQ(apply.error().reason(), "REVERTED");
        }
        EXPECT_EQ(folder_.Read("interfaces"), old_);
        EXPECT_EQ(folder_.Read("interfaces.pvebus-reverted"), staged_);
        EXPECT_THAT(ToldSince(), ElementsAre("network_applied", "network_reverted"));
        ExpectTidy({"interfaces", "interfaces.pvebus-reverted"});
      });

  EXPECT_GE(reverted, 20);
  EXPECT_GE(awaiting, 3);
}

TEST_F(NetworkKillTest, WhatTakesACommittedApplyBackIsDoneOrUndoneWhereverItIsKilled) {
  int undone = 0;
  int done = 0;

  KillEverywhere(
      [&] {
        Stage();
        ASSERT_TRUE(ApplyStaged().ok());
        Remember();
      },
      [&] { return Revert().status(); },
      [&](const absl::Status& answer) {
        if (folder_.Read("interfaces") == before_old_) {
          ++done;
          ExpectDone(network::v1::APPLY_SOURCE_REVERT);
          return;
        }
        EXPECT_FALSE(answer.ok()) << "it was said to be in force";
        if (Newest().apply_id() == newest_) {
          ExpectUntouched();
          ExpectTidy({"interfaces"});
        } else {
          ++undone;
          ExpectUndone("INTERRUPTED");
        }
      });

  EXPECT_GE(undone, 20);
  EXPECT_GE(done, 20);
}

TEST_F(NetworkKillTest, AConfirmationThatIsKilledAnywhereIsKeptOrAskedForAgain) {
  KillEverywhere(
      [&] {
        Stage();
        const auto apply = ApplyStaged(WithConfirmation(std::chrono::hours(1)));
        ASSERT_TRUE(apply.ok()) << apply.status();
        newest_ = apply->apply_id();
      },
      [&] { return Confirm().status(); },
      [&](const absl::Status& answer) {
        if (Newest().state() != network::v1::APPLY_STATE_COMMITTED) {
          EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_AWAITING_CONFIRMATION);
          EXPECT_FALSE(answer.ok()) << "it was said to be kept";
          const auto again = Confirm();
          ASSERT_TRUE(again.ok()) << again.status();
        }
        EXPECT_EQ(Newest().apply_id(), newest_);
        EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_COMMITTED);
        EXPECT_EQ(folder_.Read("interfaces"), staged_);
        EXPECT_THAT(ToldSince(), ElementsAre("network_applied"));
        ExpectTidy({"interfaces"});
      });
}

}  // namespace
}  // namespace pvebus::testing
