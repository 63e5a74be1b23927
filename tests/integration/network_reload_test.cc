// ifreload fails, hangs, lies, and writes what it likes: the old configuration comes back, and why is told.
#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>

#include "absl/strings/match.h"
#include "sdk/base/utf8.h"
#include "tests/integration/network_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Whether it is there, and no zombie.
bool IsRunning(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string number, name, state;
  return (file >> number >> name >> state) && state != "Z";
}

class NetworkReloadTest : public NetworkFixture {
 protected:
  // The next ifreload does this; those after it do their work.
  void InNextReload(const std::string& lines) {
    std::ofstream(folder_.Beside("once")) << "once";
    folder_.SetIfreload(absl::StrFormat("if [ -e once ]; then\nrm once\n%s\nfi", lines));
  }
  std::string ReadBeside(const std::string& name) {
    std::string word;
    std::ifstream(folder_.Beside(name)) >> word;
    return word;
  }
  // The error is this, and all is as it was; what is known of the apply.
  Apply ExpectUndone(const absl::Status& status, const std::string& reason, const std::string& staged = Interfaces(1)) {
    EXPECT_THAT(status, IsError(StatusCode::kFailedPrecondition, reason));
    EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
    EXPECT_EQ(folder_.Read("interfaces.new"), staged);
    EXPECT_THAT(folder_.Names(), ElementsAre("interfaces", "interfaces.new"));
    EXPECT_EQ(folder_.InForce(), Interfaces(0));
    WaitUntilQuiet();
    EXPECT_THAT(Kinds(), ElementsAre("network_apply_failed"));
    const Apply apply = Look(ErrorMetadata(status)["apply_id"]);
    EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_FAILED);
    EXPECT_EQ(apply.error().reason(), reason);
    return apply;
  }
};

TEST_F(NetworkReloadTest, OneThatFailsIsUndoneAndWhatItSaidIsKeptAndTold) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  ASSERT_EQ(chmod(folder_.Path("interfaces").c_str(), 0604), 0);
  ASSERT_EQ(chmod(folder_.Path("interfaces.new").c_str(), 0640), 0);
  InNextReload("echo 'error: test1: no such thing' >&2; exit 3");

  const auto answer = ApplyStaged();

  const Apply apply = ExpectUndone(answer.status(), "RELOAD_FAILED");
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("no such thing"));
  EXPECT_EQ(apply.reload().exit_code(), 3);
  EXPECT_EQ(apply.reload().output(), "error: test1: no such thing\n");
  const auto data = Events()[0].custom().data();
  EXPECT_EQ(data.at("apply_id").string_value(), apply.apply_id());
  EXPECT_EQ(data.at("reason").string_value(), "RELOAD_FAILED");
  EXPECT_TRUE(data.at("old_configuration_restored").bool_value());
  EXPECT_EQ(data.at("reload_exit_code").number_value(), 3);
  EXPECT_THAT(data.at("reload_output").string_value(), HasSubstr("no such thing"));
  struct stat about {};
  ASSERT_EQ(stat(folder_.Path("interfaces").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0604u);
  ASSERT_EQ(stat(folder_.Path("interfaces.new").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0640u);
}

TEST_F(NetworkReloadTest, OneThatIsKilledIsUndone) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  InNextReload("kill -9 $$");

  EXPECT_EQ(ExpectUndone(ApplyStaged().status(), "RELOAD_FAILED").reload().exit_code(), 128 + SIGKILL);
}

TEST_F(NetworkReloadTest, OneThatHangsIsEndedWithItsChildrenAndUndone) {
  StartBus();
  Start({"--reload-limit", "1"});
  folder_.Write("interfaces.new", Interfaces(1));
  InNextReload("trap '' TERM\n(trap '' TERM; sleep 1000) & echo $! > child; echo $$ > parent; echo begun; sleep 1000");

  const Apply apply = ExpectUndone(ApplyStaged().status(), "RELOAD_TIMED_OUT");

  EXPECT_TRUE(apply.reload().timed_out());
  EXPECT_NE(apply.reload().exit_code(), 0);
  EXPECT_EQ(apply.reload().output(), "begun\n");
  EXPECT_NE(ReadBeside("child"), "");
  EXPECT_FALSE(IsRunning(ReadBeside("child")));
  EXPECT_NE(ReadBeside("parent"), "");
  EXPECT_FALSE(IsRunning(ReadBeside("parent")));
}

TEST_F(NetworkReloadTest, OneThatCallsASuccessWhatTheKernelDoesNotHaveIsUndone) {
  StartBoth();
  const std::string staged = Interfaces(1) + "auto vmbr99\niface vmbr99 inet manual\n\tbridge-ports none\n";
  folder_.Write("interfaces.new", staged);

  const auto answer = ApplyStaged();

  EXPECT_EQ(ExpectUndone(answer.status(), "NOT_AS_CONFIGURED", staged).reload().exit_code(), 0);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("vmbr99"));
}

TEST_F(NetworkReloadTest, OfOneThatWritesMuchTheEndIsKept) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  constexpr char kMuch[] = "yes 0123456789 | head -c 10000000; echo; echo 'the end'; ";
  InNextReload(std::string(kMuch) + "exit 3");

  const auto failed = ApplyStaged();

  const Apply apply = ExpectUndone(failed.status(), "RELOAD_FAILED");
  EXPECT_THAT(apply.reload().output(), EndsWith("\nthe end\n"));
  EXPECT_GT(apply.reload().output().size(), 60'000u);
  EXPECT_LE(apply.reload().output().size(), 70'000u);
  EXPECT_LE(failed.status().message().size(), 10'000u);
  InNextReload(kMuch);
  const auto applied = ApplyStaged();
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(applied->reload().output(), EndsWith("\nthe end\n"));
}

TEST_F(NetworkReloadTest, WhatIsNoTextIsMadeText) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  InNextReload(R"(printf 'before \377\376\300 after\n'; exit 3)");

  const auto answer = ApplyStaged();

  const Apply apply = ExpectUndone(answer.status(), "RELOAD_FAILED");
  EXPECT_THAT(apply.reload().output(), ::testing::AllOf(HasSubstr("before "), HasSubstr(" after")));
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr(" after"));
}

TEST_F(NetworkReloadTest, WhenNotEvenTheOldOneWorksThatIsSaid) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  folder_.SetIfreload("echo broken; exit 7");

  const auto answer = ApplyStaged();

  EXPECT_THAT(answer.status(), IsError(StatusCode::kInternal, "UNDO_FAILED"));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  WaitUntilQuiet();
  EXPECT_THAT(Kinds(), ElementsAre("network_apply_failed"));
  EXPECT_FALSE(Events()[0].custom().data().at("old_configuration_restored").bool_value());
  EXPECT_EQ(Look(ErrorMetadata(answer.status())["apply_id"]).state(), network::v1::APPLY_STATE_UNDO_FAILED);
  folder_.SetIfreload("");
  EXPECT_TRUE(ApplyStaged().ok()) << "it is no reason to refuse the next one";
}

TEST_F(NetworkReloadTest, WhatIfupdown2RefusesIsNotTouched) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  folder_.SetIfup("echo \"$@ is bad\"; exit 1");

  const auto answer = ApplyStaged();

  EXPECT_THAT(answer.status(), IsError(StatusCode::kFailedPrecondition, "SYNTAX_CHECK_FAILED"));
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("-a -s -i " + folder_.Path("interfaces.new") + " is bad"));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(NetworkReloadTest, OneOfSomebodyElseIsWaitedFor) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  Fd other(open(folder_.Beside("ifupdown.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(other.get(), LOCK_EX), 0);

  auto answer = ApplyLater();
  WaitFor("ifreload to be asked for", [&] { return Newest().step() == network::v1::APPLY_STEP_RELOADING; });
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout);
  other = Fd();

  const auto applied = answer.get();
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->reload().exit_code(), 0);
  EXPECT_EQ(folder_.InForce(), Interfaces(1));
}

}  // namespace
}  // namespace pvebus::testing
