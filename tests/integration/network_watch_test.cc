// What others change in the files is told: whoever they are, however they write, and also when nobody was there to see it.
#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/network_fixture.h"

namespace pvebus::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Longer than it takes until a change is told: the watch waits for quiet.
constexpr milliseconds kSilence{1500};

class NetworkWatchTest : public NetworkFixture {
 protected:
  NetworkWatchTest() {
    folder_.Write("interfaces", WithSources(0));
    folder_.Write("interfaces.d/sdn", Vnet(0));
  }
  static std::string WithSources(int count) { return Interfaces(count) + "\nsource /etc/network/interfaces.d/*\n"; }
  static std::string Vnet(int count) { return absl::StrFormat("iface vnet1 inet manual\n\tmtu %d\n", 1400 + count); }

  // So many are told, and the last one with that source and such a change.
  void ExpectTold(size_t count, network::v1::ApplySource source, const std::string& change) {
    WaitFor(
        absl::StrFormat("%d changes to be told", count), [&] { return Kinds().size() >= count; }, kPatience);
    EXPECT_THAT(Kinds(), ::testing::SizeIs(count));
    EXPECT_THAT(Kinds(), ::testing::Each("network_applied"));
    const Apply apply = Look(Newest().apply_id());
    EXPECT_EQ(apply.source(), source);
    EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_COMMITTED);
    ASSERT_EQ(apply.changes_size(), 1);
    EXPECT_THAT(apply.changes(0).description(), HasSubstr(change));
    EXPECT_EQ(Events().back().attributes().at("apply_id"), apply.apply_id());
  }
  void ExpectNothingTold(size_t so_far = 0) {
    LetPass(kSilence);
    EXPECT_THAT(Kinds(), ::testing::SizeIs(so_far));
  }
};

TEST_F(NetworkWatchTest, TheFirstStartTellsNothing) {
  StartBoth();

  ExpectNothingTold();
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(NetworkWatchTest, AFileThatAnEditorReplacesIsTold) {
  StartBoth();

  folder_.Replace("interfaces", WithSources(1));

  ExpectTold(1, network::v1::APPLY_SOURCE_FILE, "mtu 1000 -> 1001");
}

TEST_F(NetworkWatchTest, AFileThatIsWrittenInPlaceIsTold) {
  StartBoth();

  folder_.Append("interfaces", "\niface test2 inet manual\n");

  ExpectTold(1, network::v1::APPLY_SOURCE_FILE, "new network card");
}

TEST_F(NetworkWatchTest, WhatProxmoxVesSdnWritesIsToldAsSuch) {
  StartBoth();

  folder_.Replace("interfaces.d/sdn", Vnet(1));

  ExpectTold(1, network::v1::APPLY_SOURCE_SDN, "mtu 1400 -> 1401");
}

TEST_F(NetworkWatchTest, AFileThatIsSourcedFromElsewhereIsWatchedToo) {
  std::filesystem::create_directory(folder_.Beside("elsewhere"));
  std::ofstream(folder_.Beside("elsewhere/file")) << Vnet(0);
  folder_.Write("interfaces", Interfaces(0) + "source " + folder_.Beside("elsewhere/*") + "\n");
  StartBoth();

  std::ofstream(folder_.Beside("elsewhere/file")) << Vnet(1);

  ExpectTold(1, network::v1::APPLY_SOURCE_FILE, "mtu 1400 -> 1401");
}

TEST_F(NetworkWatchTest, WhileIfupdown2IsAtWorkNothingIsTold) {
  StartBoth();
  Fd lock(open(folder_.Beside("ifupdown.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);

  folder_.Replace("interfaces", WithSources(1));
  ExpectNothingTold();
  lock = Fd();

  ExpectTold(1, network::v1::APPLY_SOURCE_FILE, "mtu 1000 -> 1001");
}

TEST_F(NetworkWatchTest, ABrokenFileIsToldWhenItIsMended) {
  StartBoth();

  folder_.Replace("interfaces", WithSources(1) + "iface\n");
  WaitFor("the errors to be seen",
          [&] { return service_->process().StandardError().find("the configuration has errors") != std::string::npos; });
  EXPECT_THAT(Kinds(), IsEmpty());
  folder_.Replace("interfaces", WithSources(2));

  ExpectTold(1, network::v1::APPLY_SOURCE_FILE, "mtu 1000 -> 1002");
}

TEST_F(NetworkWatchTest, WhatOnlyLooksOtherwiseIsNoChange) {
  StartBoth();

  folder_.Replace("interfaces", "# a word\n" + WithSources(0));
  folder_.Write("interfaces.new", WithSources(3));

  ExpectNothingTold();
}

TEST_F(NetworkWatchTest, AnApplyIsToldOnceAndNotAsAChangeOfOthers) {
  StartBoth();
  folder_.Write("interfaces.new", WithSources(1));

  ASSERT_TRUE(ApplyStaged().ok());

  LetPass(kSilence);
  ExpectTold(1, network::v1::APPLY_SOURCE_PENDING, "mtu 1000 -> 1001");
}

TEST_F(NetworkWatchTest, WhatOthersChangedBeforeAnApplyIsToldApartFromIt) {
  StartBus();
  Start({"--no-watch-files"});
  folder_.Replace("interfaces.d/sdn", Vnet(1));
  folder_.Write("interfaces.new", WithSources(1));

  const auto apply = ApplyStaged();

  ASSERT_TRUE(apply.ok()) << apply.status();
  ASSERT_EQ(apply->changes_size(), 1);
  EXPECT_EQ(apply->changes(0).target(), "test1");
  WaitUntilQuiet();
  EXPECT_THAT(Kinds(), ElementsAre("network_applied", "network_applied"));
  EXPECT_EQ(Events()[0].network_applied().changes(0).target(), "vnet1");
  EXPECT_EQ(Events()[1].network_applied().changes(0).target(), "test1");
}

TEST_F(NetworkWatchTest, WhatSdnWroteBeforeARevertIsToldOnce) {
  StartBoth();
  folder_.Write("interfaces.new", WithSources(1));
  ASSERT_TRUE(ApplyStaged(WithConfirmation(std::chrono::hours(1))).ok());
  folder_.Replace("interfaces.d/sdn", Vnet(1));
  WaitFor(
      "SDN's change to be told", [&] { return Kinds().size() == 2; }, kPatience);

  ASSERT_TRUE(Revert().ok());

  LetPass(kSilence);
  EXPECT_THAT(Kinds(), ElementsAre("network_applied", "network_applied", "network_reverted"));
}

TEST_F(NetworkWatchTest, WhatOthersLostByARevertIsTold) {
  StartBoth();
  folder_.Write("interfaces.new", WithSources(1));
  ASSERT_TRUE(ApplyStaged(WithConfirmation(std::chrono::hours(1))).ok());
  folder_.Append("interfaces", "\niface test2 inet manual\n");
  WaitFor(
      "the other change to be told", [&] { return Kinds().size() == 2; }, kPatience);

  ASSERT_TRUE(Revert().ok());

  WaitFor(
      "its loss to be told", [&] { return Kinds().size() == 4; }, kPatience);
  EXPECT_THAT(Kinds(), ElementsAre("network_applied", "network_applied", "network_reverted", "network_applied"));
  const auto change = Events()[3].network_applied().changes(0);
  EXPECT_EQ(change.change_type(), event::v1::CHANGE_TYPE_DELETE);
  EXPECT_EQ(change.target(), "test2");
}

TEST_F(NetworkWatchTest, WhatChangedWhileTheServiceWasAwayIsToldAtItsStart) {
  StartBoth();
  Kill();
  folder_.Replace("interfaces", WithSources(1));

  Start();
  ExpectTold(1, network::v1::APPLY_SOURCE_RESTART, "mtu 1000 -> 1001");
  Kill();
  Start();

  ExpectNothingTold(1);
}

TEST_F(NetworkWatchTest, WithoutWatchingOnlyAppliesAreTold) {
  StartBus();
  Start({"--no-watch-files"});

  folder_.Replace("interfaces", WithSources(1));

  ExpectNothingTold();
}

}  // namespace
}  // namespace pvebus::testing
