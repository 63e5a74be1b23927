#include "migration-service/host/route_map/nginx_route_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <string>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/host/route_map/nginx_text.h"

namespace pvebus::migration {
namespace {

using State = RouteMapUpdate::State;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kNone[] = "(none)";

// A folder with a shell script that stands for nginx: it writes down how it was called.
class NginxRouteMapTest : public testing::Test {
 protected:
  NginxRouteMapTest() {
    std::string pattern = testing::TempDir() + "nginx_route_map_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    SetNginx("exit 0");
  }
  ~NginxRouteMapTest() override { std::filesystem::remove_all(folder_); }

  std::string In(const std::string& name) const { return folder_ + "/" + name; }
  std::string Path() const { return In("pvebus.map"); }
  // Under another name first: a shell that runs it reads on in the old one.
  void SetNginx(const std::string& lines) const {
    std::ofstream(In("made")) << absl::StrFormat("#!/bin/sh\ncd %s\necho \"$*\" >> calls\n%s\n", folder_, lines);
    chmod(In("made").c_str(), 0755);
    std::filesystem::rename(In("made"), In("nginx"));
  }
  std::string Read(const std::string& name = "pvebus.map") const {
    std::ifstream stream(In(name), std::ios::binary);
    if (!stream) return kNone;
    std::stringstream bytes;
    bytes << stream.rdbuf();
    return bytes.str();
  }
  void Write(const std::string& text) const { std::ofstream(Path(), std::ios::binary) << text; }
  // What nginx was called with since the last time.
  std::string Calls() const {
    const std::string calls = Read("calls");
    std::filesystem::remove(In("calls"));
    return calls;
  }
  std::string TextOf(Phase phase) const { return NginxMap(table_, phase); }

  NginxRouteMap::Options Options() const { return {.path = Path(), .reload = true, .nginx = In("nginx")}; }
  RouteMapUpdate Bring(Phase phase) { return map_->Bring(phase, {}); }
  // As a new process.
  void Restart(const NginxRouteMap::Options& options) { map_ = std::make_unique<NginxRouteMap>(options, table_); }
  void Start() { Restart(Options()); }

  // Only the map and the script are there: no ".new" is left.
  void ExpectTidy() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("pvebus.map", "nginx", "calls", "seen"));
    }
  }

  std::string folder_;
  const RouteTable table_{{}, {}};
  std::unique_ptr<NginxRouteMap> map_;
};

TEST_F(NginxRouteMapTest, MapIsWrittenCheckedAndTold) {
  Start();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kWritten);
  EXPECT_EQ(update.before, "");
  EXPECT_EQ(update.message, "written, and nginx has it");
  EXPECT_EQ(Read(), TextOf(Phase::kRustReadOnly));
  EXPECT_EQ(Calls(), "-t -q\n-s reload\n");
  EXPECT_EQ(map_->status().phase, Phase::kRustReadOnly);
  EXPECT_EQ(map_->status().path, Path());
  EXPECT_EQ(map_->status().error, "");
  ExpectTidy();
}

TEST_F(NginxRouteMapTest, NginxChecksTheNewMap) {
  SetNginx("cat pvebus.map > seen");
  Start();

  Bring(Phase::kRustReadOnly);

  EXPECT_EQ(Read("seen"), TextOf(Phase::kRustReadOnly));
}

TEST_F(NginxRouteMapTest, ConfigurationIsNamedToNginx) {
  NginxRouteMap::Options options = Options();
  options.nginx_config = "/etc/other/nginx.conf";
  Restart(options);

  Bring(Phase::kRustReadOnly);

  EXPECT_EQ(Calls(), "-t -q -c /etc/other/nginx.conf\n-s reload -c /etc/other/nginx.conf\n");
}

TEST_F(NginxRouteMapTest, NginxIsLeftAloneWhenNobodyAskedForIt) {
  NginxRouteMap::Options options = Options();
  options.check = false;
  options.reload = false;
  Restart(options);

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kWritten);
  EXPECT_EQ(update.message, "written");
  EXPECT_EQ(Calls(), kNone);
}

TEST_F(NginxRouteMapTest, SamePhaseAgainDoesNothing) {
  Start();
  Bring(Phase::kRustReadOnly);
  Calls();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kCurrent);
  EXPECT_EQ(update.before, "rust-read-only");
  EXPECT_EQ(Calls(), kNone);
}

TEST_F(NginxRouteMapTest, MapThatSomebodyChangedIsWrittenAgain) {
  Start();
  Bring(Phase::kRustReadOnly);
  Write("# mine\n");

  EXPECT_EQ(Bring(Phase::kRustReadOnly).state, State::kWritten);

  EXPECT_EQ(Read(), TextOf(Phase::kRustReadOnly));
}

TEST_F(NginxRouteMapTest, NewProcessChecksAndTellsAgainAlsoWhenTheMapIsRight) {
  Start();
  Bring(Phase::kRustReadOnly);
  Calls();
  Start();
  EXPECT_EQ(map_->status().phase, std::nullopt);

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kWritten);
  EXPECT_EQ(update.before, "rust-read-only");
  EXPECT_EQ(Calls(), "-t -q\n-s reload\n");
}

TEST_F(NginxRouteMapTest, LoweredPhaseSwitchesOff) {
  Start();
  for (const Phase phase : {Phase::kRustReadOnly, Phase::kRustFull, Phase::kPerlOnly}) {
    EXPECT_EQ(Bring(phase).state, State::kWritten);
    EXPECT_EQ(Read(), TextOf(phase));
  }
}

TEST_F(NginxRouteMapTest, MapThatNginxRefusesIsReplacedByTheLastGoodOne) {
  Start();
  Bring(Phase::kRustReadOnly);
  Calls();
  SetNginx("echo 'nginx: [emerg] unknown directive \"mapp\"' >&2\nexit 1");

  const RouteMapUpdate update = Bring(Phase::kRustBasicWrite);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_EQ(update.before, "rust-read-only");
  EXPECT_THAT(update.message, AllOf(HasSubstr("nginx -t ended with 1"), HasSubstr("unknown directive \"mapp\""),
                                    HasSubstr("the last good table is in force")));
  EXPECT_EQ(Read(), TextOf(Phase::kRustReadOnly));
  EXPECT_EQ(Calls(), "-t -q\n") << "it is not told of what it refuses";
  EXPECT_EQ(map_->status().error, update.message);
  EXPECT_EQ(map_->status().phase, Phase::kRustReadOnly);
  ExpectTidy();
}

TEST_F(NginxRouteMapTest, LastGoodOneIsBackByteByByteWhateverItWas) {
  const std::string mine("map $uri $pvebus_upstream {\r\n default pvebus_perl;\0 }", 52);
  Write(mine);
  SetNginx("exit 1");
  Start();

  EXPECT_EQ(Bring(Phase::kRustReadOnly).state, State::kFailed);

  EXPECT_EQ(Read(), mine);
}

TEST_F(NginxRouteMapTest, NothingIsThereAgainWhenNothingWasThereBefore) {
  SetNginx("exit 1");
  Start();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_EQ(Read(), kNone);
  EXPECT_EQ(map_->status().phase, std::nullopt);
}

TEST_F(NginxRouteMapTest, FirstMapStaysForANginxThatCannotStartWithoutIt) {
  SetNginx("[ \"$1\" = -t ] && exit 0\necho 'no pid file' >&2\nexit 1");
  Start();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, AllOf(HasSubstr("no pid file"), HasSubstr("there for when nginx starts")));
  EXPECT_EQ(Read(), TextOf(Phase::kRustReadOnly));
  EXPECT_EQ(map_->status().error, update.message);
  Calls();
  SetNginx("exit 0");
  EXPECT_EQ(Bring(Phase::kRustReadOnly).state, State::kWritten);
  EXPECT_EQ(Calls(), "-t -q\n-s reload\n") << "nobody knows what nginx has";
}

TEST_F(NginxRouteMapTest, NextAttemptRunsNginxAgain) {
  Start();
  SetNginx("exit 1");
  EXPECT_EQ(Bring(Phase::kRustReadOnly).state, State::kFailed);
  SetNginx("exit 0");

  EXPECT_EQ(Bring(Phase::kRustReadOnly).state, State::kWritten);

  EXPECT_EQ(Read(), TextOf(Phase::kRustReadOnly));
  EXPECT_EQ(map_->status().error, "");
}

TEST_F(NginxRouteMapTest, LastGoodOneIsToldAgainAfterAFailure) {
  Start();
  Bring(Phase::kRustReadOnly);
  SetNginx("[ \"$1\" = -t ] || exit 1");
  Bring(Phase::kRustBasicWrite);
  SetNginx("exit 0");
  Calls();

  EXPECT_EQ(Bring(Phase::kRustReadOnly).state, State::kWritten);

  EXPECT_EQ(Calls(), "-t -q\n-s reload\n") << "nobody knows what nginx has";
}

TEST_F(NginxRouteMapTest, ReloadThatFailsBringsTheLastGoodOneBack) {
  Start();
  Bring(Phase::kRustReadOnly);
  SetNginx("[ \"$1\" = -t ] && exit 0\necho 'no pid file' >&2\nexit 3");

  const RouteMapUpdate update = Bring(Phase::kRustBasicWrite);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, AllOf(HasSubstr("nginx -s reload ended with 3"), HasSubstr("no pid file")));
  EXPECT_EQ(Read(), TextOf(Phase::kRustReadOnly));
}

TEST_F(NginxRouteMapTest, OutputThatIsNoTextIsCleaned) {
  SetNginx("printf 'bad \\377 byte' >&2\nexit 1");
  Start();

  EXPECT_THAT(Bring(Phase::kRustReadOnly).message, HasSubstr("bad ? byte"));
}

TEST_F(NginxRouteMapTest, NginxThatHangsIsEnded) {
  SetNginx("echo thinking\nexec sleep 60");
  NginxRouteMap::Options options = Options();
  options.time_limit = milliseconds(300);
  Restart(options);

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, AllOf(HasSubstr("nginx -t did not end in time"), HasSubstr("thinking")));
  EXPECT_EQ(Read(), kNone);
}

TEST_F(NginxRouteMapTest, MissingNginxIsSaid) {
  std::filesystem::remove(In("nginx"));
  Start();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, StartsWith(In("nginx")));
  EXPECT_THAT(update.message, HasSubstr("No such file or directory"));
  EXPECT_EQ(Read(), kNone);
}

TEST_F(NginxRouteMapTest, MissingFolderIsSaid) {
  NginxRouteMap::Options options = Options();
  options.path = In("nowhere/pvebus.map");
  Restart(options);

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, HasSubstr("cannot write " + In("nowhere/pvebus.map") + ": No such file or directory"));
  EXPECT_EQ(Calls(), kNone);
}

TEST_F(NginxRouteMapTest, MapThatCannotBeWrittenIsSaidAndTheLastOneStays) {
  Write("# mine\n");
  std::filesystem::create_directory(Path() + ".new");  // stops root, too
  Start();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, HasSubstr("Is a directory"));
  EXPECT_EQ(Read(), "# mine\n");
}

TEST_F(NginxRouteMapTest, FolderInThePlaceOfTheMapIsSaidAndLeavesNothing) {
  std::filesystem::create_directory(Path());
  Start();

  const RouteMapUpdate update = Bring(Phase::kRustReadOnly);

  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, HasSubstr(Path()));
  EXPECT_TRUE(std::filesystem::is_directory(Path()));
  ExpectTidy();
}

TEST_F(NginxRouteMapTest, ReadersNeverSeeHalfAMap) {
  NginxRouteMap::Options options = Options();
  options.check = false;
  options.reload = false;
  Restart(options);
  Bring(Phase::kPerlOnly);

  auto bringing = std::async(std::launch::async, [&] {
    for (int i = 0; i < 200; ++i) Bring(i % 2 == 0 ? Phase::kRustFull : Phase::kPerlOnly);
  });
  do {
    const std::string text = Read();
    ASSERT_TRUE(text == TextOf(Phase::kRustFull) || text == TextOf(Phase::kPerlOnly)) << text;
  } while (bringing.wait_for(milliseconds(0)) != std::future_status::ready);
}

TEST_F(NginxRouteMapTest, StoppedNginxBringsTheLastGoodOneBack) {
  SetNginx("mkfifo hangs\nexec sleep 60");
  Start();
  std::stop_source stop;

  auto bringing = std::async(std::launch::async, [&] { return map_->Bring(Phase::kRustReadOnly, stop.get_token()); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!std::filesystem::exists(In("hangs"))) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited for nginx to run";
    std::this_thread::sleep_for(milliseconds(5));
  }
  stop.request_stop();

  const RouteMapUpdate update = bringing.get();
  EXPECT_EQ(update.state, State::kFailed);
  EXPECT_THAT(update.message, HasSubstr("nginx -t was stopped"));
  EXPECT_EQ(Read(), kNone);
}

TEST_F(NginxRouteMapTest, TwoAtOnceAreOneAfterTheOther) {
  SetNginx("mkdir lock || echo overlap >> overlaps\nrmdir lock");
  Start();

  auto other = std::async(std::launch::async, [&] { return Bring(Phase::kRustFull); });
  const RouteMapUpdate mine = Bring(Phase::kRustReadOnly);
  const RouteMapUpdate theirs = other.get();

  EXPECT_EQ(mine.state, State::kWritten);
  EXPECT_EQ(theirs.state, State::kWritten);
  EXPECT_EQ(Read("overlaps"), kNone);
  EXPECT_EQ(Read(), TextOf(*map_->status().phase));
}

}  // namespace
}  // namespace pvebus::migration
