// network-service is killed, or refused by the kernel, at one system call of an apply after the other: the old configuration or
// the new one, and the bus is told once.
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "tests/integration/network_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kStrace = "/usr/bin/strace";
constexpr const char* kNone = "(none)";  // of a file
constexpr const char* kAttached = "/usr/bin/strace: Process ";
// What changes files and the database, what runs ifreload, and what talks with the bus and the caller.
constexpr const char* kCalls[] = {"flock",  "linkat", "renameat",   "unlinkat", "fsync", "fdatasync", "pwrite64",
                                  "fchmod", "clone3", "pidfd_open", "waitid",   "poll",  "sendmsg",   "recvmsg"};

// From its construction on, the n-th system call of a kind in any thread of a process has an effect: `signal=SIGKILL`, which
// comes before the call does anything, or `error=ENOSPC`. One thread.
class Fault {
 public:
  Fault(pid_t pid, const std::string& call, const std::string& effect, int n, const char* and_later = "")
      : strace_({kStrace, "-f", "-p", std::to_string(pid), "-e", "trace=" + call, "-e",
                 absl::StrFormat("inject=%s:%s:when=%d%s", call, effect, n, and_later)}) {
    const auto attached = strace_.WaitForLine(kAttached, std::chrono::seconds(30));
    EXPECT_TRUE(attached.ok()) << attached.status();
  }

  // Whether it had an effect. It is over then.
  bool Happened() {
    strace_.Signal(SIGKILL);
    EXPECT_TRUE(strace_.WaitExit(std::chrono::seconds(30)).has_value()) << "waited for strace to end";
    return absl::StrContains(strace_.StandardError(), "(INJECTED)");
  }

 private:
  // Killed, the kernel takes the process out of its hands. Told to end, it would wait for what dies just now.
  Process strace_;
};

std::string WhyNoFaults() {
  if (!std::filesystem::exists(kStrace)) return "there is no /usr/bin/strace: deploy/packages.sh --tests";
  const Process sleeping({"/bin/sleep", "60"});
  Process strace({kStrace, "-p", std::to_string(sleeping.pid()), "-e", "trace=none"});
  const auto attached = strace.WaitForLine(kAttached, std::chrono::seconds(30));
  return attached.ok() ? "" : attached.status().ToString();
}

class NetworkKillTest : public NetworkFixture {
 protected:
  void SetUp() override {
    const std::string why = WhyNoFaults();
    if (!why.empty()) GTEST_SKIP() << "NOT PROVEN: an apply that is killed anywhere. The kernel does not let us trace: " << why;
    StartBus();
    Start();
  }

  // Another one than is in force, and how it is all before it is applied.
  void Stage() {
    folder_.Replace("interfaces.new", Interfaces(++count_));
    Remember();
  }
  void Remember() {
    before_old_ = std::exchange(old_, folder_.Read("interfaces"));
    staged_ = folder_.Read("interfaces.new");
    newest_ = Newest().apply_id();
    told_ = Kinds().size();
  }
  std::vector<std::string> ToldSince() {
    std::vector<std::string> kinds = Kinds();
    kinds.erase(kinds.begin(), kinds.begin() + static_cast<ptrdiff_t>(told_));
    return kinds;
  }

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

  // What holds whatever happened.
  void ExpectTidy(const std::set<std::string>& names) {
    EXPECT_EQ(folder_.Names(), names);
    EXPECT_EQ(folder_.InForce(), folder_.Read("interfaces"));
  }
  void ExpectUntouched() {
    EXPECT_EQ(folder_.Read("interfaces"), old_);
    EXPECT_EQ(folder_.Read("interfaces.new"), staged_);
    EXPECT_THAT(ToldSince(), IsEmpty());
    EXPECT_EQ(Newest().apply_id(), newest_);
  }
  void ExpectUndone(const std::string& reason) {
    EXPECT_EQ(folder_.Read("interfaces"), old_);
    EXPECT_EQ(folder_.Read("interfaces.new"), staged_);
    EXPECT_THAT(ToldSince(), ElementsAre("network_apply_failed"));
    const Apply apply = Newest();
    EXPECT_NE(apply.apply_id(), newest_);
    EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_FAILED);
    EXPECT_EQ(apply.error().reason(), reason) << apply.error().message();
    ExpectTidy(staged_ == kNone ? std::set<std::string>{"interfaces"} : std::set<std::string>{"interfaces", "interfaces.new"});
  }
  void ExpectDone(network::v1::ApplySource source) {
    EXPECT_THAT(ToldSince(), ElementsAre("network_applied"));
    const Apply apply = Newest();
    EXPECT_NE(apply.apply_id(), newest_);
    EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_COMMITTED);
    EXPECT_EQ(apply.source(), source);
    ExpectTidy({"interfaces"});
  }

  int count_ = 0;
  std::string old_;
  std::string staged_;
  std::string before_old_;  // what was in force before that
  std::string newest_;
  size_t told_ = 0;
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

TEST_F(NetworkKillTest, AnApplyThatTheDiskRefusesAnywhereIsRefusedOrUndoneAndToldOnce) {
  int refused = 0;
  int undone = 0;

  for (const char* error : {"ENOSPC", "EIO"}) {
    for (const char* call : {"flock", "linkat", "renameat", "unlinkat", "fsync", "fdatasync", "pwrite64"}) {
      bool happened = true;
      for (int n = 1; happened; ++n) {
        SCOPED_TRACE(absl::StrFormat("%s of %s number %d", error, call, n));
        ASSERT_LE(n, 200) << "it never ends";
        Stage();
        Fault fault(service_->process().pid(), call, absl::StrFormat("error=%s", error), n);
        const auto answer = ApplyStaged();
        happened = fault.Happened();
        WaitUntilQuiet();
        // What could not be cleared away is in nobody's way.
        std::filesystem::remove(folder_.Path(".interfaces.pvebus-old"));
        if (answer.ok()) {
          ExpectDone(network::v1::APPLY_SOURCE_PENDING);
        } else {
          EXPECT_NE(ErrorReason(answer.status()), "") << answer.status();
          const bool touched = Newest().apply_id() != newest_;
          ++(touched ? undone : refused);
          if (touched) {
            ExpectUndone(ErrorReason(answer.status()));
          } else {
            ExpectUntouched();
          }
        }
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GE(refused, 10);
  EXPECT_GE(undone, 10);
}

TEST_F(NetworkKillTest, AnUndoThatTheDiskRefusesIsTriedAgainUntilItWorks) {
  folder_.SetIfreload("if [ -e broken ]; then rm broken; exit 3; fi");
  std::ofstream(folder_.Beside("broken")) << "once";
  Stage();
  {
    // The first two are before ifreload.
    const Fault fault(service_->process().pid(), "renameat", "error=EIO", 3, "+");
    const auto answer = ApplyStaged();
    EXPECT_THAT(answer.status(), IsError(StatusCode::kInternal, "UNDO_FAILED"));
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr("ifreload -a ended with 3"));
    EXPECT_EQ(folder_.Read("interfaces"), staged_);
    EXPECT_THAT(ApplyStaged().status(), IsError(StatusCode::kInternal, "UNDO_FAILED")) << "nothing else is begun";
  }

  WaitForState(Newest().apply_id(), network::v1::APPLY_STATE_FAILED);
  WaitUntilQuiet();
  ExpectUndone("RELOAD_FAILED");
}

}  // namespace
}  // namespace pvebus::testing
