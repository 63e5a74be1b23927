// The hookscript of Proxmox VE, run as Proxmox VE runs it, against the real bus.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "container-service/host/spool/spool_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/client/channel.h"
#include "sdk/client/outbox.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr const char* kBootId = "49366758-3e84-4159-9c95-ca4d99c0982b";
// What 100 ms become on a machine that does other things, too.
constexpr milliseconds kWithoutDelay{1000};
// For publishes that must work on such a machine.
constexpr const char* kPatient = "PVEBUS_LIMIT=10";

std::string RequestId(const std::string& start) { return absl::StrFormat("container-started/101/%s/%s", kBootId, start); }

class HookscriptTest : public ::testing::Test {
 protected:
  struct Ended {
    std::optional<int> exit_code;
    std::string out, err;
    milliseconds duration;
  };

  HookscriptTest() {
    std::filesystem::create_directory(spool_);
    Write("proc/sys/kernel/random/boot_id", kBootId);
    AddDevice("veth101i0", 7);
  }

  void Write(const std::string& file, const std::string& line) const {
    const std::filesystem::path path = directory_.path() + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << line << "\n";
  }
  void AddDevice(const std::string& name, int index) const { Write("sys/class/net/" + name + "/ifindex", std::to_string(index)); }
  void RemoveDevices() const { std::filesystem::remove_all(directory_.path() + "/sys/class"); }

  // `changes`: further or other variables of its environment.
  Ended Run(const std::vector<std::string>& arguments, const std::vector<std::string>& changes = {}) {
    return RunScript(PVEBUS_HOOKSCRIPT, arguments, changes);
  }
  Ended RunScript(const std::string& script, const std::vector<std::string>& arguments, const std::vector<std::string>& changes) {
    std::vector<std::string> line = {"/usr/bin/env",
                                     "PVEBUS=" + ProgramPath("pvebus"),
                                     "PVEBUS_BUS=" + (bus_ ? bus_->address() : absent_bus_),
                                     "PVEBUS_SPOOL=" + spool_,
                                     "PVEBUS_SYS=" + directory_.path() + "/sys",
                                     "PVEBUS_PROC=" + directory_.path() + "/proc"};
    line.insert(line.end(), changes.begin(), changes.end());
    line.push_back(script);
    line.insert(line.end(), arguments.begin(), arguments.end());
    const SteadyTime begin = std::chrono::steady_clock::now();
    Process process(line);
    Ended ended;
    ended.exit_code = process.WaitExit(kSoon);
    ended.duration = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    ended.out = process.StandardOutput();
    ended.err = process.StandardError();
    return ended;
  }
  void ExpectSilent(const Ended& ended) {
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(ended.err, "");
  }
  void ExpectOneLine(const Ended& ended, const std::string& about) {
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr(about));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }

  void StartBus() { bus_ = std::make_unique<BusProcess>(); }
  // The result of the publish under that id; NOT_FOUND when there was none.
  absl::StatusOr<bus::v1::PublishResult> Published(const std::string& request_id) {
    bus::v1::GetPublishResultRequest request;
    request.set_request_id(request_id);
    const auto response = Call(&bus::v1::BusService::Stub::GetPublishResult, bus_->bus(), request);
    if (!response.ok()) return response.status();
    return response->result();
  }
  // Sequence of the next event: how many there were.
  uint64_t EventsSoFar() {
    const auto response = bus_->Publish(RequestOf(CustomEvent("count"), bus::v1::WAIT_POLICY_DURABLE));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->result().sequence() - 1 : 0;
  }

  std::vector<std::string> Spooled() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(spool_)) names.push_back(file.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  // As container-service takes up what lies there.
  void PublishSpooled() {
    RealClock clock;
    NullLogger logger;
    const auto spool = container::SpoolDirectory::Open(spool_, clock, logger);
    ASSERT_TRUE(spool.ok()) << spool.status();
    const client::Publisher publisher(client::Connect(bus_->address()), "container-service@node1", clock);
    client::Outbox outbox(**spool, publisher, logger);
    const absl::Status status = outbox.PublishNow(std::chrono::steady_clock::now() + kSoon, {});
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_THAT(Spooled(), IsEmpty());
  }

  TemporaryDirectory directory_;
  const std::string spool_ = directory_.path() + "/spool";
  const std::string absent_bus_ = "unix:" + directory_.path() + "/nobody.sock";
  std::unique_ptr<BusProcess> bus_;
};

TEST_F(HookscriptTest, AStartIsPublishedUnderItsIdAndNothingIsLeft) {
  StartBus();

  ExpectSilent(Run({"101", "post-start"}, {kPatient}));

  const auto result = Published(RequestId("v7"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Spooled(), IsEmpty());
}

TEST_F(HookscriptTest, OneStartToldTwiceIsOneEvent) {
  StartBus();

  ExpectSilent(Run({"101", "post-start"}, {kPatient}));
  ExpectSilent(Run({"101", "post-start"}, {kPatient}));

  EXPECT_EQ(EventsSoFar(), 1u);
  EXPECT_THAT(Spooled(), IsEmpty());
}

TEST_F(HookscriptTest, WhatItPublishesAndWhatItLeavesAreTheSameEvent) {
  ExpectSilent(Run({"101", "post-start"}));
  ASSERT_EQ(Spooled().size(), 1u);
  StartBus();
  ExpectSilent(Run({"101", "post-start"}, {kPatient}));
  EXPECT_EQ(Spooled().size(), 1u);

  PublishSpooled();

  EXPECT_EQ(EventsSoFar(), 1u);
  EXPECT_TRUE(Published(RequestId("v7")).ok());
}

TEST_F(HookscriptTest, TheNextStartIsAnotherEvent) {
  StartBus();
  ExpectSilent(Run({"101", "post-start"}, {kPatient}));
  RemoveDevices();
  AddDevice("veth101i0", 12);

  ExpectSilent(Run({"101", "post-start"}, {kPatient}));

  EXPECT_TRUE(Published(RequestId("v12")).ok());
  EXPECT_EQ(EventsSoFar(), 2u);
}

TEST_F(HookscriptTest, WithTheBusAwayTheEventWaitsInTheSpoolForItsService) {
  const Ended ended = Run({"101", "post-start"});

  ExpectSilent(ended);
  EXPECT_LT(ended.duration, kWithoutDelay);
  RecordProperty("milliseconds", std::to_string(ended.duration.count()));
  EXPECT_THAT(Spooled(),
              ElementsAre(MatchesRegex(absl::StrFormat("[0-9]{20}-container-started\\+101\\+%s\\+v7\\.json", kBootId))));
  struct stat status {};
  ASSERT_EQ(stat((spool_ + "/" + Spooled().front()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u) << "the service is another user";
}

TEST_F(HookscriptTest, ABusThatHangsHoldsUpNobodyAndLosesNothing) {
  StartBus();
  bus_->process().Signal(SIGSTOP);

  const Ended ended = Run({"101", "post-start"});

  ExpectSilent(ended);
  EXPECT_LT(ended.duration, kWithoutDelay);
  RecordProperty("milliseconds", std::to_string(ended.duration.count()));
  EXPECT_EQ(Spooled().size(), 1u);
  bus_->process().Signal(SIGCONT);
  PublishSpooled();
  EXPECT_EQ(EventsSoFar(), 1u);
}

TEST_F(HookscriptTest, WithoutTheProgramTheEventWaitsInTheSpool) {
  ExpectSilent(Run({"101", "post-start"}, {"PVEBUS=/nowhere/pvebus"}));

  EXPECT_EQ(Spooled().size(), 1u);
}

TEST_F(HookscriptTest, TheStartIsTheLowestDeviceOfTheContainerElseItsCgroupElseTheTime) {
  const auto start = [this] {
    std::filesystem::remove_all(spool_);
    std::filesystem::create_directory(spool_);
    ExpectSilent(Run({"101", "post-start"}));
    const std::string name = Spooled().empty() ? "none." : Spooled().front();
    const size_t begin = name.rfind('+') + 1;
    return name.substr(begin, name.rfind('.') - begin);
  };
  AddDevice("veth101i1", 5);
  AddDevice("veth101i2", 100);
  AddDevice("veth1011i0", 3);
  AddDevice("veth10i0", 2);
  Write("sys/class/net/veth101i3/ifindex", "?");
  EXPECT_EQ(start(), "v5");

  RemoveDevices();
  const std::string cgroup = directory_.path() + "/sys/fs/cgroup/lxc/101";
  std::filesystem::create_directories(cgroup);
  struct stat status {};
  ASSERT_EQ(stat(cgroup.c_str(), &status), 0);
  EXPECT_EQ(start(), absl::StrFormat("c%d", status.st_ino));

  std::filesystem::remove_all(cgroup);
  const time_t before = time(nullptr);
  const std::string by_time = start();
  EXPECT_EQ(by_time.front(), 't');
  EXPECT_GE(std::stoll(by_time.substr(1)), before);
  EXPECT_LE(std::stoll(by_time.substr(1)), time(nullptr));
}

TEST_F(HookscriptTest, WhatIsNoContainerIsSaidAndNothingElseHappens) {
  for (const char* vmid : {"", "99", "1000000000", "0101", "-101", "abc", "101x", "10 1", "101\n", "../101", "$(id)"}) {
    const Ended ended = Run({vmid, "post-start"});
    EXPECT_EQ(ended.exit_code, 0) << vmid;
    EXPECT_THAT(ended.err, HasSubstr("is no container")) << vmid;
  }

  EXPECT_THAT(Spooled(), IsEmpty());
}

TEST_F(HookscriptTest, OtherPhasesDoNothing) {
  for (const char* phase : {"pre-start", "pre-stop", "post-stop", "", "post-start "}) {
    ExpectSilent(Run({"101", phase}));
    ExpectSilent(Run({"bad", phase}));
  }
  ExpectSilent(Run({"101"}));
  ExpectSilent(Run({}));

  EXPECT_THAT(Spooled(), IsEmpty());
}

TEST_F(HookscriptTest, WithoutASpoolTheBusIsToldAllTheSameAndTheLackIsSaid) {
  StartBus();

  ExpectOneLine(Run({"101", "post-start"}, {kPatient, "PVEBUS_SPOOL=/nowhere/spool"}), "cannot write to /nowhere/spool");

  EXPECT_TRUE(Published(RequestId("v7")).ok());
}

TEST_F(HookscriptTest, WithNeitherSpoolNorBusItSaysThatNobodyWasTold) {
  std::ofstream(directory_.path() + "/file") << "x";

  for (const std::string& spool : {std::string("/proc"), std::string("/nowhere"), directory_.path() + "/file"}) {
    ExpectOneLine(Run({"101", "post-start"}, {"PVEBUS_SPOOL=" + spool}), "told to nobody");
  }
}

TEST_F(HookscriptTest, ASpoolThatIsFullGetsNoHalfFile) {
  // A shell's limit on the length of files fails as a full disk does: in the middle of a write.
  const std::string limited = directory_.path() + "/limited";
  std::ofstream(limited) << "#!/bin/sh\ntrap '' XFSZ\nulimit -f 0\nexec " << PVEBUS_HOOKSCRIPT << " \"$@\"\n";
  ASSERT_EQ(chmod(limited.c_str(), 0755), 0);

  const Ended ended = RunScript(limited, {"101", "post-start"}, {});

  ExpectOneLine(ended, "told to nobody");
  EXPECT_THAT(Spooled(), IsEmpty());
}

TEST_F(HookscriptTest, ALinkInTheSpoolIsNotWrittenThrough) {
  const std::string precious = directory_.path() + "/precious";
  std::ofstream(precious) << "x";
  // Under the very name that the script will choose: its process is this shell's.
  const std::string trap = directory_.path() + "/trap";
  std::ofstream(trap) << "#!/bin/sh\nnow=01700000000000000000\nln -s " << precious << " " << spool_
                      << "/.$now-container-started+101+" << kBootId << "+v7.json.$$\nPATH=" << directory_.path()
                      << "/bin:$PATH exec " << PVEBUS_HOOKSCRIPT << " \"$@\"\n";
  Write("bin/date", "#!/bin/sh\necho 1700000000000000000");
  ASSERT_EQ(chmod(trap.c_str(), 0755), 0);
  ASSERT_EQ(chmod((directory_.path() + "/bin/date").c_str(), 0755), 0);

  const Ended ended = RunScript(trap, {"101", "post-start"}, {});

  ExpectOneLine(ended, "told to nobody");
  EXPECT_EQ(std::filesystem::file_size(precious), 1u);
}

}  // namespace
}  // namespace pvebus::testing
