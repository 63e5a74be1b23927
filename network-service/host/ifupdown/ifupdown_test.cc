#include "network-service/host/ifupdown/ifupdown.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

#include "absl/strings/str_format.h"
#include "network-service/host/testing/temporary_network.h"
#include "sdk/posix/fd.h"
#include "tests/support/wait.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;
using ::pvebus::testing::kSoon;
using ::pvebus::testing::WaitFor;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;

class IfupdownTest : public ::testing::Test {
 protected:
  IfupdownTest() {
    options_.ifreload = network_.WriteProgram("ifreload", "exit 0");
    options_.ifup = network_.WriteProgram("ifup", "exit 0");
    options_.lock_file = network_.Path("run/.lock");
    options_.needs_root = false;
  }

  void ReloadDoes(const std::string& lines) const { network_.WriteProgram("ifreload", lines); }
  absl::StatusOr<ProgramReport> Reload() { return Ifupdown(options_, programs_).Reload({}); }
  auto ReloadLater(const std::stop_token& stop = {}) {
    return std::async(std::launch::async, [this, stop] { return Ifupdown(options_, programs_).Reload(stop); });
  }
  // As another run of ifupdown2 has it.
  Fd LockAsAnother() const {
    std::filesystem::create_directories(network_.Path("run"));
    Fd file(open(options_.lock_file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644));
    EXPECT_EQ(flock(file.get(), LOCK_EX | LOCK_NB), 0);
    return file;
  }

  TemporaryNetwork network_;
  Ifupdown::Options options_;
  ProgramRunner programs_{{.kill_after = milliseconds(100)}};
};

TEST_F(IfupdownTest, MissingProgramsAreNamed) {
  EXPECT_TRUE(Ifupdown(options_, programs_).CheckAbility().ok());

  for (const std::string& program : {options_.ifup, options_.ifreload}) {
    chmod(program.c_str(), 0644);
    const absl::Status status = Ifupdown(options_, programs_).CheckAbility();
    EXPECT_THAT(status, IsError(StatusCode::kFailedPrecondition, "IFUPDOWN2_MISSING"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(program));
    EXPECT_THAT(std::string(status.message()), HasSubstr("apt install ifupdown2"));
  }
  std::filesystem::remove(options_.ifreload);
  std::filesystem::create_directory(options_.ifreload);
  EXPECT_THAT(Ifupdown(options_, programs_).CheckAbility(), IsError(StatusCode::kFailedPrecondition, "IFUPDOWN2_MISSING"));
}

TEST_F(IfupdownTest, OnlyRootCanApply) {
  options_.needs_root = true;
  const uid_t self = geteuid();
  if (self == 0) {
    EXPECT_TRUE(Ifupdown(options_, programs_).CheckAbility().ok());
    ASSERT_EQ(seteuid(65534), 0);
  }
  const absl::Status status = Ifupdown(options_, programs_).CheckAbility();
  if (self == 0) {
    ASSERT_EQ(seteuid(0), 0);
  }

  EXPECT_THAT(status, IsError(StatusCode::kFailedPrecondition, "PRIVILEGES_MISSING"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("applying needs root"));
}

TEST_F(IfupdownTest, AReloadIsOfAllAndReportsWhatItWasTold) {
  ReloadDoes("echo $0 $*; echo $LC_ALL $PATH; echo warning >&2; exit 3");

  const auto report = Reload();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->exit_code, 3);
  EXPECT_FALSE(report->timed_out);
  EXPECT_EQ(report->output,
            absl::StrFormat("%s -a\nC.UTF-8 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nwarning\n",
                            options_.ifreload));
  EXPECT_THAT(report->duration, Ge(Duration::zero()));
  EXPECT_THAT(report->duration, Lt(kSoon));
}

TEST_F(IfupdownTest, TheSyntaxCheckOnlyParsesTheFile) {
  network_.WriteProgram("ifup", "echo $*; exit 1");

  const auto report = Ifupdown(options_, programs_).CheckSyntax("/some/file", {});

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->output, "-a -s -i /some/file\n");
  EXPECT_EQ(report->exit_code, 1);
}

TEST_F(IfupdownTest, OfMuchOutputTheLast64KiBAreKept) {
  ReloadDoes("head -c 100000 /dev/zero | tr '\\0' x; echo end");

  const auto report = Reload();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->output.size(), 65536u);
  EXPECT_THAT(report->output, EndsWith("xend\n"));
}

TEST_F(IfupdownTest, TheDirectoryOfItsLockIsThere) {
  ReloadDoes("stat -c %a " + network_.Path("run"));
  const mode_t mask = umask(022);

  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Reload()->output, "755\n");
  }
  umask(mask);
}

TEST_F(IfupdownTest, AReloadThatHangsIsEndedWithAllThatItStarted) {
  const std::string alive = network_.Path("alive");
  ASSERT_EQ(mkfifo(alive.c_str(), 0600), 0);
  const Fd reader(open(alive.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ReloadDoes("exec 9> " + alive + "; trap '' TERM; echo begun; sleep 600 & sleep 600; sleep 600");
  options_.reload_limit = milliseconds(500);

  const auto report = Reload();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->timed_out);
  EXPECT_EQ(report->exit_code, 137);
  EXPECT_EQ(report->output, "begun\n");
  pollfd ended{reader.get(), 0, 0};
  EXPECT_EQ(poll(&ended, 1, static_cast<int>(kSoon.count())), 1) << "waited for the end of all that the reload started";
  EXPECT_NE(ended.revents & POLLHUP, 0);
}

TEST_F(IfupdownTest, AReloadThatEndsWellOnlyWhenItsTimeIsOverIsNoSuccess) {
  ReloadDoes("trap 'exit 0' TERM; sleep 600 & wait");
  options_.reload_limit = milliseconds(500);

  const auto report = Reload();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->timed_out);
  EXPECT_NE(report->exit_code, 0);
}

TEST_F(IfupdownTest, AReloadThatFindsAnotherAtWorkIsRunAgainAfterIt) {
  Fd other = LockAsAnother();
  ReloadDoes("echo run >> " + network_.Path("runs") + "; flock -n " + options_.lock_file + " true || exit 89; echo done");
  auto report = ReloadLater();
  WaitFor("the first attempt", [&] { return network_.Read("runs") == "run\n"; });

  EXPECT_EQ(report.wait_for(milliseconds(50)), std::future_status::timeout);
  other.Close();

  ASSERT_EQ(report.wait_for(kSoon), std::future_status::ready) << "waited for the reload after the other";
  const auto told = report.get();
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->exit_code, 0);
  EXPECT_EQ(told->output, "done\n");
}

TEST_F(IfupdownTest, AnotherThatIsAtWorkForTooLongIsWhatIsReported) {
  const Fd other = LockAsAnother();
  ReloadDoes("echo 'Another instance of this program is already running.'; exit 89");
  options_.reload_limit = milliseconds(300);

  const auto report = Reload();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->exit_code, 89);
  EXPECT_THAT(report->output, HasSubstr("Another instance"));
}

TEST_F(IfupdownTest, AnotherIsWaitedForEvenWhenItsLockIsElsewhere) {
  ReloadDoes("[ -e " + network_.Path("again") + " ] && exit 0; touch " + network_.Path("again") + "; exit 89");

  const auto report = Reload();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->exit_code, 0);
}

TEST_F(IfupdownTest, AReloadIsEndedWhenItIsToStop) {
  ReloadDoes("touch " + network_.Path("begun") + "; sleep 600");
  std::stop_source stop;
  auto report = ReloadLater(stop.get_token());
  WaitFor("the begin of the reload", [&] { return network_.Has("begun"); });

  stop.request_stop();

  ASSERT_EQ(report.wait_for(kSoon), std::future_status::ready) << "waited for the end of the reload";
  EXPECT_THAT(report.get().status(), IsError(StatusCode::kCancelled, "WAIT_STOPPED"));
}

TEST_F(IfupdownTest, AReloadThatWaitsForAnotherStops) {
  const Fd other = LockAsAnother();
  ReloadDoes("touch " + network_.Path("begun") + "; exit 89");
  std::stop_source stop;
  auto report = ReloadLater(stop.get_token());
  WaitFor("the first attempt", [&] { return network_.Has("begun"); });

  stop.request_stop();

  ASSERT_EQ(report.wait_for(kSoon), std::future_status::ready) << "waited for the end of the wait";
  EXPECT_THAT(report.get().status(), IsError(StatusCode::kCancelled, "WAIT_STOPPED"));
}

TEST_F(IfupdownTest, WhatCannotBeStartedIsAnError) {
  std::filesystem::remove(options_.ifreload);

  EXPECT_THAT(Reload().status(), IsError(StatusCode::kFailedPrecondition, "PROGRAM_NOT_RUN"));
}

TEST_F(IfupdownTest, OthersAreWaitedForUntilTheyAreDone) {
  EXPECT_TRUE(Ifupdown(options_, programs_).WaitForOthers({})) << "no lock file";
  Fd other = LockAsAnother();
  auto waited = std::async(std::launch::async, [&] { Ifupdown(options_, programs_).WaitForOthers({}); });

  EXPECT_EQ(waited.wait_for(milliseconds(50)), std::future_status::timeout);
  other.Close();

  EXPECT_EQ(waited.wait_for(kSoon), std::future_status::ready) << "waited for the end of the wait";
  EXPECT_EQ(network_.Read("run/.lock"), "");
}

TEST_F(IfupdownTest, OthersAreWaitedForOnlyAMoment) {
  const Fd other = LockAsAnother();

  EXPECT_FALSE(Ifupdown(options_, programs_).WaitForOthers({}));

  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(Ifupdown(options_, programs_).WaitForOthers(stop.get_token()));
}

}  // namespace
}  // namespace pvebus::network
