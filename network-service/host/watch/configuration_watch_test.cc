#include "network-service/host/watch/configuration_watch.h"

#include "absl/strings/str_cat.h"
#include "network-service/host/files/configuration_lock.h"
#include "network-service/host/testing/temporary_network.h"

namespace pvebus::network {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ConfigurationWatchTest : public ::testing::Test {
 protected:
  ConfigurationWatchTest() {
    std::filesystem::create_directories(Etc("interfaces.d"));
    Write("interfaces", "old");
    Write("interfaces.d/sdn", "old");
  }

  std::string Etc(const std::string& name) const { return network_.Path("etc/network/" + name); }
  void Write(const std::string& name, const std::string& bytes) const { network_.Write("etc/network/" + name, bytes); }
  void Replace(const std::string& name, const std::string& bytes) const {
    Write(name + ".tmp", bytes);
    std::filesystem::rename(Etc(name + ".tmp"), Etc(name));
  }

  void Watch(Duration quiet = milliseconds(50), Duration at_most = seconds(10)) {
    auto watch =
        ConfigurationWatch::Create({.etc_network = network_.Path("etc/network"), .quiet = quiet, .at_most = at_most}, [this] {
          const MutexLock lock(mu_);
          ++calls_;
          called_.NotifyAll();
        });
    ASSERT_TRUE(watch.ok()) << watch.status();
    watch_ = *std::move(watch);
  }
  // Until it was called again since this was asked last. What is slow may be told in two calls; the others are taken, too.
  void ExpectTold(const std::string& what) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(10);
    const MutexLock lock(mu_);
    while (calls_ == seen_) {
      if (!called_.WaitUntil(mu_, deadline)) {
        ADD_FAILURE() << "waited 10 s to be told: " << what;
        return;
      }
    }
    seen_ = calls_;
  }
  // For longer than it would take.
  void ExpectSilence() {
    const SteadyTime end = std::chrono::steady_clock::now() + milliseconds(200);
    const MutexLock lock(mu_);
    while (called_.WaitUntil(mu_, end)) {
    }
    EXPECT_EQ(calls_, seen_) << "was told without a change";
  }
  int calls() {
    const MutexLock lock(mu_);
    return calls_;
  }

  TemporaryNetwork network_;
  Mutex mu_;
  CondVar called_;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  int seen_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<ConfigurationWatch> watch_;
};

TEST_F(ConfigurationWatchTest, AFileThatIsReplacedIsTold) {
  Watch();

  Replace("interfaces", "new");

  ExpectTold("interfaces was replaced");
}

TEST_F(ConfigurationWatchTest, AFileThatIsWrittenInPlaceIsTold) {
  Watch();

  Write("interfaces", "new");

  ExpectTold("interfaces was written");
}

TEST_F(ConfigurationWatchTest, WhatIsStagedAndWhatIsTakenBackIsTold) {
  Watch();

  Write("interfaces.new", "new");
  ExpectTold("interfaces.new came");
  std::filesystem::remove(Etc("interfaces.new"));
  ExpectTold("interfaces.new is gone");
}

TEST_F(ConfigurationWatchTest, WhatSdnWritesIsTold) {
  Watch();

  Replace("interfaces.d/sdn", "new");
  ExpectTold("interfaces.d/sdn was replaced");
  Write("interfaces.d/sdn", "newer");
  ExpectTold("interfaces.d/sdn was written");
}

TEST_F(ConfigurationWatchTest, WhatComesCloseTogetherIsToldOnce) {
  Watch(milliseconds(500), hours(1));

  for (int i = 0; i < 100; ++i) Replace("interfaces", absl::StrCat(i));
  ExpectTold("a burst");
  const int burst = calls();
  Write("interfaces", "last");
  ExpectTold("what came after the burst");

  EXPECT_EQ(burst, 1);
  EXPECT_EQ(calls(), 2);
}

TEST_F(ConfigurationWatchTest, WithoutQuietItIsToldAfterAWhile) {
  Watch(hours(1), milliseconds(100));

  Write("interfaces", "new");

  ExpectTold("a change without quiet");
}

TEST_F(ConfigurationWatchTest, AFolderMayGoAndComeBack) {
  Watch();

  for (int i = 0; i < 3; ++i) {
    std::filesystem::remove_all(network_.Path("etc"));
    ExpectTold("the folder is gone");
    std::filesystem::create_directories(Etc("interfaces.d"));
    ExpectTold("the folder is back");
    Write("interfaces.d/sdn", "back");
    ExpectTold("a file of the folder is back");
  }
}

TEST_F(ConfigurationWatchTest, AFolderMayNotBeThereAtFirst) {
  std::filesystem::remove_all(network_.Path("etc"));
  Watch();

  std::filesystem::create_directories(Etc("interfaces.d"));
  ExpectTold("the folder came");
  Write("interfaces", "new");
  ExpectTold("a file came");
}

TEST_F(ConfigurationWatchTest, FoldersOfSourcedFilesAreWatchedToo) {
  std::filesystem::create_directories(network_.Path("elsewhere"));
  Watch();

  watch_->SetFolders({network_.Path("elsewhere"), network_.Path("elsewhere")});
  ExpectTold("there are other folders");
  network_.Write("elsewhere/file", "new");
  ExpectTold("a file elsewhere was written");
  Write("interfaces", "new");
  ExpectTold("interfaces was written");
}

TEST_F(ConfigurationWatchTest, FoldersThatAreWatchedAnywayAreNoChange) {
  Watch(milliseconds(1));
  const std::string etc_network = network_.Path("etc/network");

  watch_->SetFolders({Etc("interfaces.d"), etc_network});
  watch_->SetFolders({etc_network});

  ExpectSilence();
}

TEST_F(ConfigurationWatchTest, TheSameFoldersAgainAreNoChange) {
  Watch(milliseconds(1));
  watch_->SetFolders({network_.Path("one"), network_.Path("two")});
  ExpectTold("there are other folders");

  watch_->SetFolders({network_.Path("two"), network_.Path("one"), network_.Path("two")});

  ExpectSilence();
}

TEST_F(ConfigurationWatchTest, LocksAndWhatIsOnlyKeptAreNoChange) {
  Watch(milliseconds(1));

  for (const char* name : {".interfaces.pvebus-old", ".interfaces.pvebus-candidate", ".interfaces.pvebus-temporary"}) {
    Write(name, "");
  }
  ASSERT_TRUE(LockConfiguration(network_.Path("etc/network"), seconds(1), {}).ok());

  ExpectSilence();
}

TEST_F(ConfigurationWatchTest, WhoIsToldMaySetFolders) {
  std::filesystem::create_directories(network_.Path("elsewhere"));
  Mutex mu;
  CondVar called;
  int calls = 0;
  std::unique_ptr<ConfigurationWatch> watch;
  {
    const MutexLock lock(mu);
    watch = *ConfigurationWatch::Create({.etc_network = network_.Path("etc/network"), .quiet = milliseconds(1)}, [&] {
      const MutexLock inner(mu);
      watch->SetFolders({network_.Path("elsewhere")});
      ++calls;
      called.NotifyAll();
    });
  }

  Write("interfaces", "new");
  const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(10);
  {
    const MutexLock lock(mu);
    while (calls < 2) ASSERT_TRUE(called.WaitUntil(mu, deadline)) << "waited for a change and for other folders to be told";
  }
  watch.reset();
}

}  // namespace
}  // namespace pvebus::network
