#include "container-service/host/spool/spool_watch.h"

#include <filesystem>
#include <fstream>

#include "container-service/host/spool/spool_directory.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::container {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SpoolWatchTest : public ::testing::Test {
 protected:
  SpoolWatchTest() {
    auto watch = SpoolWatch::Create(directory_.path(), [this] { OnNew(); });
    EXPECT_TRUE(watch.ok()) << watch.status();
    watch_ = *std::move(watch);
  }

  void OnNew() {
    MutexLock lock(mu_);
    ++calls_;
    called_.NotifyAll();
  }
  // Takes one call; false when there was none in time.
  bool WaitCall(milliseconds patience = seconds(10)) {
    const SteadyTime end = std::chrono::steady_clock::now() + patience;
    MutexLock lock(mu_);
    while (calls_ == 0) {
      if (!called_.WaitUntil(mu_, end)) return false;
    }
    calls_ = 0;
    return true;
  }
  void Write(const std::string& name) { std::ofstream(directory_.path() + "/" + name) << "x"; }
  void Rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(directory_.path() + "/" + from, directory_.path() + "/" + to);
  }

  pvebus::testing::TemporaryDirectory directory_;
  Mutex mu_;
  CondVar called_;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<SpoolWatch> watch_;
};

TEST_F(SpoolWatchTest, AnEventThatWasRenamedIntoTheDirectoryIsTold) {
  Write(".1");
  Rename(".1", "1.json");

  EXPECT_TRUE(WaitCall());
}

TEST_F(SpoolWatchTest, AnEventThatWasPutIsTold) {
  RealClock clock;
  NullLogger logger;
  const auto spool = SpoolDirectory::Open(directory_.path(), clock, logger);
  ASSERT_TRUE(spool.ok()) << spool.status();
  event::v1::SystemEvent event;
  event.mutable_container_started()->set_id(101);

  ASSERT_TRUE((*spool)->Put("r", event).ok());

  EXPECT_TRUE(WaitCall());
}

TEST_F(SpoolWatchTest, AnEventThatWasWrittenInItsPlaceIsTold) {
  Write("1.json");

  EXPECT_TRUE(WaitCall());
}

TEST_F(SpoolWatchTest, WhatIsNoEventIsNotTold) {
  Write(".1.json");
  Write("notes.txt");
  Rename("notes.txt", "1.json.bad");
  EXPECT_FALSE(WaitCall(milliseconds(200)));

  Write("2.json");

  EXPECT_TRUE(WaitCall());
}

TEST_F(SpoolWatchTest, NothingIsToldAfterItsEnd) {
  watch_.reset();

  Write("1.json");

  EXPECT_FALSE(WaitCall(milliseconds(100)));
}

TEST(SpoolWatchErrorTest, ADirectoryThatIsNotThereIsSaid) {
  EXPECT_EQ(ErrorReason(SpoolWatch::Create("/nowhere", [] {}).status()), "SPOOL_UNUSABLE");
}

}  // namespace
}  // namespace pvebus::container
