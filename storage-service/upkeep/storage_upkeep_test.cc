#include "storage-service/upkeep/storage_upkeep.h"

#include <deque>
#include <memory>
#include <optional>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

SteadyTime In10Seconds() { return std::chrono::steady_clock::now() + seconds(10); }

// What the threads did, for a test that waits for it.
class Diary {
 public:
  void Note(std::string what) {
    MutexLock lock(mu_);
    notes_.push_back(std::move(what));
    changed_.NotifyAll();
  }
  // The next one; "nothing" after 10 s.
  std::string Next() {
    const SteadyTime deadline = In10Seconds();
    MutexLock lock(mu_);
    while (notes_.empty()) {
      if (!changed_.WaitUntil(mu_, deadline)) return "nothing";
    }
    std::string note = std::move(notes_.front());
    notes_.pop_front();
    return note;
  }
  bool empty() {
    MutexLock lock(mu_);
    return notes_.empty();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<std::string> notes_ ABSL_GUARDED_BY(mu_);
};

class DiaryLogger final : public Logger {
 public:
  explicit DiaryLogger(Diary& diary) : diary_(diary) {}
  void Write(LogLevel, std::string_view line) override { diary_.Note(std::string(line)); }

 private:
  Diary& diary_;
};

// Blocks until it is opened, or stopped.
class Gate {
 public:
  void Pass(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] {
      MutexLock lock(mu_);
      changed_.NotifyAll();
    });
    const SteadyTime deadline = In10Seconds();
    MutexLock lock(mu_);
    while (!open_ && !stop.stop_requested() && changed_.WaitUntil(mu_, deadline)) {
    }
  }
  void Open() {
    MutexLock lock(mu_);
    open_ = true;
    changed_.NotifyAll();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
};

class StorageUpkeepTest : public testing::Test {
 protected:
  void Start(UpkeepLimits limits) {
    UpkeepDuties duties;
    duties.refresh = [this](const std::vector<std::string>& ids, const std::stop_token& stop) {
      checks_.Note(ids.empty() ? "all" : absl::StrJoin(ids, ","));
      if (gate_) gate_->Pass(stop);
      return outcome_;
    };
    duties.network_storages = [this] { return network_storages_; };
    duties.repair_vlans = [this] {
      repairs_.Note("repaired");
      return reports_;
    };
    upkeep_ = std::make_unique<StorageUpkeep>(std::move(duties), limits, logger_);
  }

  Diary checks_;
  Diary repairs_;
  Diary lines_;
  DiaryLogger logger_{lines_};
  // Set before Start.
  std::unique_ptr<Gate> gate_;
  StorageBoard::Outcome outcome_;
  std::vector<VlanReport> reports_;
  std::vector<std::string> network_storages_ = {"nas", "san"};
  std::unique_ptr<StorageUpkeep> upkeep_;
};

TEST_F(StorageUpkeepTest, RepairsWaitForQuietUnlessTheyAreAskedForNow) {
  Start({.repair_delay = hours(1)});

  upkeep_->OnLinksChanged();
  EXPECT_EQ(checks_.Next(), "nas,san");
  EXPECT_TRUE(repairs_.empty());
  upkeep_->RepairNow();

  EXPECT_EQ(repairs_.Next(), "repaired");
}

TEST_F(StorageUpkeepTest, LinksThatAreNeverQuietAreRepairedAllTheSame) {
  Start({.repair_delay = milliseconds(20)});

  const SteadyTime deadline = In10Seconds();
  while (repairs_.empty() && std::chrono::steady_clock::now() < deadline) upkeep_->OnLinksChanged();

  EXPECT_EQ(repairs_.Next(), "repaired");
}

TEST_F(StorageUpkeepTest, AllStoragesAreCheckedAgainAndAgain) {
  Start({.refresh_interval = milliseconds(5)});

  EXPECT_EQ(checks_.Next(), "all");
  EXPECT_EQ(checks_.Next(), "all");
}

TEST_F(StorageUpkeepTest, VlansArePutRightAgainAndAgain) {
  Start({.refresh_interval = milliseconds(5), .repair_delay = milliseconds(20)});

  EXPECT_EQ(repairs_.Next(), "repaired");
  EXPECT_EQ(repairs_.Next(), "repaired");
}

TEST_F(StorageUpkeepTest, WithoutAnIntervalOnlyChangesAreChecked) {
  Start({});

  upkeep_->OnConfigChanged({"nas"});

  EXPECT_EQ(checks_.Next(), "nas");
  EXPECT_TRUE(checks_.empty());
}

TEST_F(StorageUpkeepTest, AConfigurationWithoutNewsChecksNothing) {
  Start({});

  upkeep_->OnConfigChanged({});
  upkeep_->OnConfigChanged({"nas"});

  EXPECT_EQ(checks_.Next(), "nas");
}

TEST_F(StorageUpkeepTest, ChangesThatComeDuringACheckAreCheckedTogether) {
  gate_ = std::make_unique<Gate>();
  Start({});
  upkeep_->OnConfigChanged({"a"});
  ASSERT_EQ(checks_.Next(), "a");

  upkeep_->OnConfigChanged({"c"});
  upkeep_->OnConfigChanged({"b", "c"});
  gate_->Open();

  EXPECT_EQ(checks_.Next(), "b,c");
}

TEST_F(StorageUpkeepTest, ChangedLinksHaveVlansRepairedAndNetworkStoragesChecked) {
  Start({});

  upkeep_->OnLinksChanged();

  EXPECT_EQ(repairs_.Next(), "repaired");
  EXPECT_EQ(checks_.Next(), "nas,san");
}

TEST_F(StorageUpkeepTest, WithoutNetworkStoragesChangedLinksCheckNothing) {
  network_storages_.clear();
  Start({});

  upkeep_->OnLinksChanged();
  ASSERT_EQ(repairs_.Next(), "repaired");
  upkeep_->OnConfigChanged({"local"});

  EXPECT_EQ(checks_.Next(), "local");
}

TEST_F(StorageUpkeepTest, LinksThatKeepChangingAreCheckedOnceInAPauseButRepairedAtOnce) {
  Start({.link_refresh_pause = hours(1)});
  upkeep_->OnLinksChanged();
  ASSERT_EQ(checks_.Next(), "nas,san");
  ASSERT_EQ(repairs_.Next(), "repaired");

  upkeep_->OnLinksChanged();
  ASSERT_EQ(repairs_.Next(), "repaired");
  upkeep_->OnConfigChanged({"new"});

  EXPECT_EQ(checks_.Next(), "new");
}

TEST_F(StorageUpkeepTest, TheLastOfABurstOfChangesIsCheckedAfterThePause) {
  Start({.link_refresh_pause = milliseconds(20)});
  upkeep_->OnLinksChanged();
  ASSERT_EQ(checks_.Next(), "nas,san");

  upkeep_->OnLinksChanged();

  EXPECT_EQ(checks_.Next(), "nas,san");
}

TEST_F(StorageUpkeepTest, VlansAreRepairedWhileACheckHangs) {
  gate_ = std::make_unique<Gate>();
  Start({});
  upkeep_->OnConfigChanged({"hung"});
  ASSERT_EQ(checks_.Next(), "hung");

  upkeep_->OnLinksChanged();

  EXPECT_EQ(repairs_.Next(), "repaired");
  gate_->Open();
}

TEST_F(StorageUpkeepTest, ItEndsWhileACheckHangs) {
  gate_ = std::make_unique<Gate>();
  Start({});
  upkeep_->OnConfigChanged({"hung"});
  ASSERT_EQ(checks_.Next(), "hung");
  const SteadyTime before = std::chrono::steady_clock::now();

  upkeep_.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));  // the gate would hold it for 10
}

TEST_F(StorageUpkeepTest, OneLineTellsAChangeOfStateAndNoneWhatStayed) {
  Refreshed changed{.before = StorageState::kActive};
  changed.now.storage.storage_id = "nas";
  changed.now.state = StorageState::kError;
  changed.now.reason = "10.0.0.9:2049 timed \"out\"";
  outcome_.refreshed = {Refreshed{}, changed};
  reports_ = {{.storage_id = "san", .link = "eno1.20"},
              {.storage_id = "nas",
               .link = "vmbr0.20",
               .outcome = VlanReport::Outcome::kChanged,
               .before = "missing",
               .after = "up",
               .message = "created"}};
  Start({});

  upkeep_->OnConfigChanged({"nas"});
  EXPECT_EQ(lines_.Next(), "storage=nas state=error before=active reason=\"10.0.0.9:2049 timed \\\"out\\\"\"");
  upkeep_->OnLinksChanged();
  EXPECT_THAT(lines_.Next() + lines_.Next(),
              HasSubstr("vlan=vmbr0.20 storage=nas state=changed before=\"missing\" after=\"up\""));
}

TEST_F(StorageUpkeepTest, AStoreThatFailsIsLogged) {
  outcome_.stored = absl::UnavailableError("the disk is full");
  Start({});

  upkeep_->OnConfigChanged({"nas"});

  EXPECT_EQ(lines_.Next(), "states=not_stored message=\"the disk is full\"");
}

}  // namespace
}  // namespace pvebus::storage
