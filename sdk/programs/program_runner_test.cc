#include "sdk/programs/program_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/posix/fd.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/wait.h"

namespace pvebus {
namespace {

using ::pvebus::testing::kSoon;
using ::pvebus::testing::WaitFor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using End = ProgramResult::End;

constexpr milliseconds kLong = seconds(30);  // that no program takes
constexpr milliseconds kShort = milliseconds(200);

// A FIFO through which programs tell the test where they are, or are held until it lets them go on.
class Fifo {
 public:
  explicit Fifo(std::string path) : path_(std::move(path)) {
    if (mkfifo(path_.c_str(), 0600) != 0) std::abort();
    // For both, so that neither side waits for the other to open it.
    fd_ = Fd(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  }

  const std::string& path() const { return path_; }
  void WriteLine(const std::string& line = "go") const {
    const std::string text = line + "\n";
    ASSERT_EQ(write(fd_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // Fails the test when none comes in time.
  std::string ReadLine(std::string_view what) const {
    std::string line;
    for (;;) {
      pollfd polled{fd_.get(), POLLIN, 0};
      if (poll(&polled, 1, static_cast<int>(kSoon.count())) != 1) {
        ADD_FAILURE() << absl::StrFormat("waited %d ms for %s", kSoon.count(), what);
        return line;
      }
      char c = '\n';
      if (read(fd_.get(), &c, 1) != 1 || c == '\n') return line;
      line.push_back(c);
    }
  }

 private:
  const std::string path_;
  Fd fd_;
};

class ProgramRunnerTest : public ::testing::Test {
 protected:
  // The path of a program with these lines.
  std::string Script(const std::string& lines, const std::string& first_line = "#!/bin/sh") {
    std::string path = Path(absl::StrFormat("program-%d", ++scripts_));
    std::ofstream(path) << first_line << "\n" << lines << "\n";
    chmod(path.c_str(), 0755);
    return path;
  }
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }

  ProgramCall Call(const std::string& lines, milliseconds limit = kLong) {
    return {.path = Script(lines), .environment = {"PATH=/usr/bin:/bin"}, .time_limit = limit};
  }
  ProgramResult Run(const ProgramCall& call) { return runner_.Run(call, {}); }
  ProgramResult Run(const std::string& lines, milliseconds limit = kLong) { return Run(Call(lines, limit)); }

  // Stops it when it says `ready`.
  ProgramResult RunUntilReady(const std::string& lines, ProgramRunner& runner) {
    const Fifo arrivals(Path("ready"));
    const ProgramCall call = Call(absl::StrFormat("ready() { echo > %s; }\n%s", arrivals.path(), lines));
    std::stop_source stop;
    auto result = std::async(std::launch::async, [&] { return runner.Run(call, stop.get_token()); });
    arrivals.ReadLine("the program to be ready");
    stop.request_stop();
    return result.get();
  }
  ProgramResult RunUntilReady(const std::string& lines) { return RunUntilReady(lines, runner_); }

  ProgramRunner runner_{{.kill_after = kShort}};

 private:
  const testing::TemporaryDirectory directory_;
  int scripts_ = 0;
};

// Makes orphans of this process' programs its children, so that it can see them gone.
class Subreaper {
 public:
  Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

// Requires: a Subreaper was there before the group was.
void ExpectGone(pid_t group) {
  ASSERT_GT(group, 1);
  WaitFor(absl::StrFormat("the end of all of process group %d", group), [group] {
    while (waitpid(-group, nullptr, WNOHANG) > 0) {
    }
    return kill(-group, 0) != 0 && errno == ESRCH;
  });
}

// That it begins with.
pid_t PidIn(const std::string& output) { return std::atoi(output.c_str()); }

TEST_F(ProgramRunnerTest, AProgramThatSucceeds) {
  const ProgramResult result = Run("exit 0");

  EXPECT_EQ(result.end, End::kExited) << result.message;
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.output_bytes, 0u);
  EXPECT_EQ(result.message, "");
  EXPECT_THAT(result.duration, AllOf(Ge(milliseconds(0)), Lt(kSoon)));
}

TEST_F(ProgramRunnerTest, AnExitStatusAndBothStreamsInOrder) {
  const ProgramResult result = Run("echo one; echo two >&2; echo three; exit 3");

  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "one\ntwo\nthree\n");
  EXPECT_EQ(result.output_bytes, 14u);
}

TEST_F(ProgramRunnerTest, AProgramThatASignalEnds) {
  const ProgramResult result = Run("echo before; kill -SEGV $$");

  EXPECT_EQ(result.end, End::kSignalled);
  EXPECT_EQ(result.exit_code, 128 + SIGSEGV);
  EXPECT_EQ(result.output, "before\n");
}

TEST_F(ProgramRunnerTest, AfterTheTimeLimitTheWholeGroupIsGone) {
  const Subreaper subreaper;

  const ProgramResult result = Run("sleep 600 & echo $$; wait", seconds(1));

  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  EXPECT_THAT(result.duration, AllOf(Ge(seconds(1)), Lt(kSoon)));
  ExpectGone(PidIn(result.output));
}

TEST_F(ProgramRunnerTest, WhatIsStoppedIsGoneWithItsWholeGroup) {
  const Subreaper subreaper;

  const ProgramResult result = RunUntilReady("sleep 600 & echo $$; ready; wait");

  EXPECT_EQ(result.end, End::kStopped);
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  ExpectGone(PidIn(result.output));
}

TEST_F(ProgramRunnerTest, WhatDoesNotEndWhenToldIsKilled) {
  const ProgramResult result = RunUntilReady("trap : TERM; ready; while :; do sleep 600; done");

  EXPECT_EQ(result.end, End::kStopped);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  EXPECT_THAT(result.duration, AllOf(Ge(kShort), Lt(kSoon)));
}

TEST_F(ProgramRunnerTest, AChildThatDoesNotEndWhenToldIsKilledToo) {
  const Subreaper subreaper;

  const ProgramResult result = RunUntilReady("(trap '' TERM; ready; exec sleep 600) & echo $$; wait");

  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  EXPECT_THAT(result.duration, Ge(kShort)) << "it has its time to end, too";
  ExpectGone(PidIn(result.output));
}

TEST_F(ProgramRunnerTest, AChildWithOutputOfItsOwnIsKilledToo) {
  const Subreaper subreaper;

  const ProgramResult result = RunUntilReady("echo $$; (trap '' TERM; ready; exec sleep 600) >/dev/null 2>&1 & wait");

  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  ExpectGone(PidIn(result.output));
}

TEST_F(ProgramRunnerTest, AProgramMayEndInGoodOrderWhenItIsTold) {
  ProgramRunner runner({.kill_after = kSoon});

  const ProgramResult result = RunUntilReady("trap 'echo bye; exit 5' TERM; ready; while :; do sleep 0.05; done", runner);

  EXPECT_EQ(result.end, End::kStopped);
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.output, EndsWith("bye\n"));
  EXPECT_THAT(result.duration, Lt(kSoon));
}

TEST_F(ProgramRunnerTest, AChildThatHoldsTheOutputIsNotWaitedFor) {
  const ProgramResult result = Run("sleep 600 & echo $!; exit 4");

  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.duration, Lt(kSoon));
  ASSERT_THAT(PidIn(result.output), ::testing::Gt(0));
  EXPECT_EQ(kill(PidIn(result.output), SIGKILL), 0) << "what is left behind goes on";
}

TEST_F(ProgramRunnerTest, AChildThatWritesForEverIsNotWaitedFor) {
  const ProgramResult result = Run("yes & sleep 0.1; exit 4");

  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.duration, Lt(kSoon));
}

TEST_F(ProgramRunnerTest, AProgramThatWritesForEverIsEnded) {
  const ProgramResult result = Run("exec yes", kShort);

  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_THAT(result.duration, Lt(kSoon));
}

TEST_F(ProgramRunnerTest, OfMuchOutputTheEndIsKept) {
  const ProgramResult result = Run("head -c 1048576 /dev/zero | tr '\\0' x; echo end");

  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.output_bytes, 1048580u);
  EXPECT_EQ(result.output, std::string(4092, 'x') + "end\n");
}

TEST_F(ProgramRunnerTest, HowMuchOfItIsKeptIsTheCallersChoice) {
  ProgramCall call = Call("echo 12345678");
  call.most_output_bytes = 4;

  const ProgramResult result = Run(call);

  EXPECT_EQ(result.output, "678\n");
  EXPECT_EQ(result.output_bytes, 9u);
}

TEST_F(ProgramRunnerTest, OutputIsRawBytes) {
  const ProgramResult result = Run("printf '\\377\\000\\303x'");

  EXPECT_EQ(result.output, std::string("\xff\0\xc3x", 4));
}

TEST_F(ProgramRunnerTest, InputArrivesWhole) {
  ProgramCall call = Call("cksum; wc -c < /dev/stdin");
  for (int i = 0; call.input.size() < 1024 * 1024; ++i) call.input += absl::StrFormat("line %d\n", i);
  std::ofstream(Path("input")) << call.input;

  const ProgramResult result = Run(call);
  const ProgramResult expected = Run(absl::StrFormat("cksum < %s; wc -c < %s", Path("input"), Path("input")));

  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, expected.output);
}

TEST_F(ProgramRunnerTest, InputThatIsNotReadHoldsUpNobody) {
  ProgramCall call = Call("exit 6");
  call.input = std::string(1024 * 1024, 'x');

  const ProgramResult result = Run(call);

  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.duration, Lt(kSoon));
}

TEST_F(ProgramRunnerTest, WithoutInputThereIsTheEndOfIt) { EXPECT_EQ(Run("wc -c").output, "0\n"); }

TEST_F(ProgramRunnerTest, AProgramThatClosesItsOutputIsWaitedFor) {
  const ProgramResult result = Run("echo said; exec >&- 2>&-; sleep 0.2; exit 7");

  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "said\n");
  EXPECT_THAT(result.duration, Ge(kShort));
}

TEST_F(ProgramRunnerTest, NoOtherDescriptorsAreInherited) {
  std::vector<Fd> inheritable;
  inheritable.reserve(20);
  for (int i = 0; i < 20; ++i) inheritable.emplace_back(open("/dev/null", O_RDONLY));

  // 3 is the directory that ls reads.
  EXPECT_EQ(Run("ls /proc/self/fd").output, "0\n1\n2\n3\n");
}

TEST_F(ProgramRunnerTest, SignalsAreAsInANewProcess) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto pipe_before = signal(SIGPIPE, SIG_IGN);

  // No script: a shell would empty the mask itself.
  const ProgramResult result =
      Run({.path = "/bin/grep", .arguments = {"-E", "SigBlk|SigIgn", "/proc/self/status"}, .time_limit = kLong});

  signal(SIGPIPE, pipe_before);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  // 32 and 33 are glibc's own; its posix_spawn leaves them ignored.
  EXPECT_THAT(result.output, ::testing::MatchesRegex("SigBlk:\t0+\nSigIgn:\t0+180000000\n"));
}

TEST_F(ProgramRunnerTest, ArgumentsEnvironmentAndDirectoryArrive) {
  ProgramCall call =
      Call("printf '%s\\n' \"$0\" \"$@\"; pwd; tr '\\0' '\\n' < /proc/$$/environ; cut -d' ' -f1,5,6 /proc/$$/stat; echo $$");
  call.arguments = {"101", "post-start", "", "a b"};
  call.environment = {"PATH=/usr/bin:/bin", "PVEBUS_X=y z"};

  const ProgramResult result = Run(call);

  // The last line; of its stat, pid, process group and session are the same.
  const pid_t pid = PidIn(result.output.substr(result.output.rfind('\n', result.output.size() - 2) + 1));
  EXPECT_EQ(result.output, absl::StrFormat("%s\n101\npost-start\n\na b\n/\nPATH=/usr/bin:/bin\nPVEBUS_X=y z\n%d %d %d\n%d\n",
                                           call.path, pid, pid, pid, pid));
}

TEST_F(ProgramRunnerTest, AnEmptyEnvironmentIsEmpty) {
  ProgramCall call = Call("tr '\\0' '\\n' < /proc/$$/environ");
  call.environment = {};

  EXPECT_EQ(Run(call).output, "");
}

TEST_F(ProgramRunnerTest, WhatCannotBeStartedSaysWhy) {
  const auto why = [this](const std::string& path) {
    const ProgramResult result = Run(ProgramCall{.path = path, .time_limit = kLong});
    EXPECT_EQ(result.end, End::kNotStarted);
    EXPECT_EQ(result.exit_code, 0);
    return result.message;
  };
  const std::string not_executable = Script("exit 0");
  chmod(not_executable.c_str(), 0644);

  EXPECT_EQ(why(Path("missing")), "was not started: No such file or directory: there is no such file");
  EXPECT_THAT(why(Script("exit 0", "exit 0")), HasSubstr("Exec format error: it has no #! line"));
  EXPECT_THAT(why(Script("exit 0", "#!/nowhere/sh")), EndsWith("the interpreter that its #! line names does not exist"));
  EXPECT_THAT(why(Script("exit 0", "#!/bin/sh\r")), HasSubstr("its lines end as Windows ends them"));
  EXPECT_THAT(why(not_executable), HasSubstr("Permission denied: it must be executable (chmod +x)"));
  EXPECT_THAT(why("/proc"), HasSubstr("Permission denied"));
}

TEST_F(ProgramRunnerTest, TooLongArgumentsSayWhy) {
  ProgramCall call = Call("exit 0");
  call.arguments = {std::string(1024 * 1024, 'x')};

  EXPECT_THAT(Run(call).message, HasSubstr("its arguments and its environment are too long"));
}

TEST_F(ProgramRunnerTest, WhatWaitsForItsTurnIsStopped) {
  ProgramRunner runner({.parallel = 1});
  const Fifo arrivals(Path("arrivals"));
  const Fifo gate(Path("gate"));
  const ProgramCall call = Call(absl::StrFormat("echo > %s; read x < %s", arrivals.path(), gate.path()));
  auto first = std::async(std::launch::async, [&] { return runner.Run(call, {}); });
  arrivals.ReadLine("the first program");
  std::stop_source stop;
  auto second = std::async(std::launch::async, [&] { return runner.Run(call, stop.get_token()); });

  // Time to begin to wait, so that this is mostly about who waits: the promise holds either way.
  EXPECT_EQ(second.wait_for(milliseconds(50)), std::future_status::timeout);
  stop.request_stop();
  ASSERT_EQ(second.wait_for(kSoon), std::future_status::ready);
  const ProgramResult result = second.get();
  gate.WriteLine();

  EXPECT_EQ(result.end, End::kStopped);
  EXPECT_EQ(result.duration, Duration::zero());
  EXPECT_THAT(result.message, HasSubstr("was not started"));
  ASSERT_EQ(first.wait_for(kSoon), std::future_status::ready);
  EXPECT_EQ(first.get().end, End::kExited);
}

TEST_F(ProgramRunnerTest, NeverMoreAtOnceThanAllowed) {
  constexpr int kParallel = 4;
  constexpr int kCallers = 50;
  ProgramRunner runner({.parallel = kParallel});
  const Fifo arrivals(Path("arrivals"));
  const Fifo gate(Path("gate"));
  mkdir(Path("running").c_str(), 0700);
  const ProgramCall call = Call(absl::StrFormat("cd %s; : > $$; set -- *; echo > %s; read x < %s; rm $$; echo $#",
                                                Path("running"), arrivals.path(), gate.path()));
  std::vector<std::future<ProgramResult>> results;
  results.reserve(kCallers);
  for (int i = 0; i < kCallers; ++i) results.push_back(std::async(std::launch::async, [&] { return runner.Run(call, {}); }));

  for (int i = 0; i < kParallel; ++i) arrivals.ReadLine("as many programs as are allowed");
  for (int i = 0; i < kCallers; ++i) gate.WriteLine();

  int most = 0;
  for (auto& result : results) {
    ASSERT_EQ(result.wait_for(kSoon), std::future_status::ready);
    most = std::max(most, std::atoi(result.get().output.c_str()));
  }
  EXPECT_EQ(most, kParallel);
}

TEST_F(ProgramRunnerTest, NothingIsLeftOpenAndNobodyUnreaped) {
  const auto open_now = [] {
    std::vector<int> fds;
    for (int fd = 0; fd < 200; ++fd) {
      if (fcntl(fd, F_GETFD) >= 0) fds.push_back(fd);
    }
    return fds;
  };
  const std::vector<int> before = open_now();

  Run("exit 0");
  Run("exec sleep 600", milliseconds(20));
  Run(ProgramCall{.path = Path("missing"), .time_limit = kLong});

  EXPECT_EQ(open_now(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace pvebus
