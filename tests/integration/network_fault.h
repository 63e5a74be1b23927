#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "tests/integration/network_fixture.h"

namespace pvebus::testing {

inline constexpr const char* kNone = "(none)";  // of a file
inline constexpr const char* kStrace = "/usr/bin/strace";
inline constexpr const char* kAttached = "/usr/bin/strace: Process ";

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

inline std::string WhyNoFaults() {
  if (!std::filesystem::exists(kStrace)) return "there is no /usr/bin/strace: deploy/packages.sh --tests";
  const Process sleeping({"/bin/sleep", "60"});
  Process strace({kStrace, "-p", std::to_string(sleeping.pid()), "-e", "trace=none"});
  const auto attached = strace.WaitForLine(kAttached, std::chrono::seconds(30));
  return attached.ok() ? "" : attached.status().ToString();
}

// What changes files and the database, what runs ifreload, and what talks with the bus and the caller.
inline constexpr const char* kCalls[] = {"flock",  "linkat", "renameat",   "unlinkat", "fsync", "fdatasync", "pwrite64",
                                         "fchmod", "clone3", "pidfd_open", "waitid",   "poll",  "sendmsg",   "recvmsg"};

// A service whose system calls are made to fail, and what is expected of each apply. The main thread.
class NetworkFaultFixture : public NetworkFixture {
 protected:
  void SetUp() override {
    NetworkFixture::SetUp();
    if (IsSkipped()) return;
    const std::string why = WhyNoFaults();
    if (!why.empty())
      GTEST_SKIP() << "NOT PROVEN: an apply in which a system call fails. The kernel does not let us trace: " << why;
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
        killed = absl::IsUnavailable(answer) || !Answers();
        if (killed) {
          ASSERT_TRUE(service_->process().WaitExit(kPatience).has_value()) << "it is there and does not answer: " << answer;
          Start();
        }
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
    EXPECT_THAT(ToldSince(), ::testing::IsEmpty());
    EXPECT_EQ(Newest().apply_id(), newest_);
  }
  void ExpectUndone(const std::string& reason) {
    EXPECT_EQ(folder_.Read("interfaces"), old_);
    EXPECT_EQ(folder_.Read("interfaces.new"), staged_);
    EXPECT_THAT(ToldSince(), ::testing::ElementsAre("network_apply_failed"));
    const Apply apply = Newest();
    EXPECT_NE(apply.apply_id(), newest_);
    EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_FAILED);
    EXPECT_EQ(apply.error().reason(), reason) << apply.error().message();
    ExpectTidy(staged_ == kNone ? std::set<std::string>{"interfaces"} : std::set<std::string>{"interfaces", "interfaces.new"});
  }
  void ExpectDone(network::v1::ApplySource source) {
    EXPECT_THAT(ToldSince(), ::testing::ElementsAre("network_applied"));
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

}  // namespace pvebus::testing
