#include "migration-service/upkeep/route_map_upkeep.h"

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"

namespace pvebus::migration {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Fails as often as it is told.
class FailingRouteMap final : public RouteMap {
 public:
  explicit FailingRouteMap(int failures) : failures_(failures) {
    if (failures > 0) status_.error = "nginx is not there";
  }

  RouteMapUpdate Bring(Phase phase, const std::stop_token&) override {
    if (const auto first = std::exchange(on_first_, nullptr)) first();
    MutexLock lock(mu_);
    brought_.push_back(phase);
    changed_.NotifyAll();
    if (failures_-- > 0) return {.state = RouteMapUpdate::State::kFailed};
    status_ = {.phase = phase};
    return {.state = RouteMapUpdate::State::kWritten};
  }
  RouteMapStatus status() const override {
    MutexLock lock(mu_);
    ++looks_;
    changed_.NotifyAll();
    return status_;
  }
  // Set before it is used.
  void OnFirstBring(std::function<void()> what) { on_first_ = std::move(what); }
  // Whether it comes to that within ten seconds.
  bool WaitBrought(size_t times) {
    return WaitUntil([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return brought_.size() >= times; });
  }
  bool WaitLooks(int times) {
    return WaitUntil([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return looks_ >= times; });
  }
  std::vector<Phase> brought() {
    MutexLock lock(mu_);
    return brought_;
  }

 private:
  template <typename Predicate>
  bool WaitUntil(Predicate predicate) {
    const SteadyTime end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    MutexLock lock(mu_);
    while (!predicate()) {
      if (!changed_.WaitUntil(mu_, end)) return false;
    }
    return true;
  }

  std::function<void()> on_first_;
  mutable Mutex mu_;
  mutable CondVar changed_;
  mutable int looks_ ABSL_GUARDED_BY(mu_) = 0;
  int failures_ ABSL_GUARDED_BY(mu_);
  RouteMapStatus status_ ABSL_GUARDED_BY(mu_);
  std::vector<Phase> brought_ ABSL_GUARDED_BY(mu_);
};

class RouteMapUpkeepTest : public testing::Test {
 protected:
  RouteMapUpkeep::Parts Parts(RouteMap& map) { return {.state = *state_, .map = map, .logger = logger_, .random = random_}; }
  void Enter(Phase phase, const std::string& event_id) {
    EXPECT_TRUE(state_->Enter({.to = phase, .event_id = event_id}, {}).ok());
  }

  static constexpr BackoffPolicy kAtOnce{.minimum = milliseconds(1), .maximum = milliseconds(2)};
  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  NullLogger logger_;
  SeededRandom random_{1};
};

TEST_F(RouteMapUpkeepTest, TableThatFailedIsBroughtUntilItIsRight) {
  Enter(Phase::kRustReadOnly, "e1");
  FailingRouteMap map(2);
  const RouteMapUpkeep upkeep(Parts(map), kAtOnce);

  EXPECT_TRUE(map.WaitBrought(3)) << "waited for the third attempt";

  EXPECT_TRUE(map.WaitLooks(10)) << "waited for it to look on";
  EXPECT_THAT(map.brought(), ElementsAre(Phase::kRustReadOnly, Phase::kRustReadOnly, Phase::kRustReadOnly));
}

TEST_F(RouteMapUpkeepTest, TableThatIsRightIsLeftAlone) {
  FailingRouteMap map(0);
  const RouteMapUpkeep upkeep(Parts(map), kAtOnce);

  EXPECT_TRUE(map.WaitLooks(5)) << "waited for it to look";

  EXPECT_THAT(map.brought(), IsEmpty());
}

TEST_F(RouteMapUpkeepTest, PhaseThatChangedMeanwhileIsBroughtAfterIt) {
  FailingRouteMap map(1);
  map.OnFirstBring([this] { Enter(Phase::kRustReadOnly, "e1"); });
  const RouteMapUpkeep upkeep(Parts(map), kAtOnce);

  EXPECT_TRUE(map.WaitBrought(2)) << "waited for the phase that is in force";

  EXPECT_THAT(map.brought(), ElementsAre(Phase::kPerlOnly, Phase::kRustReadOnly));
}

TEST_F(RouteMapUpkeepTest, ItEndsPromptlyWhileItWaits) {
  FailingRouteMap map(1);
  const SteadyTime begin = std::chrono::steady_clock::now();

  { const RouteMapUpkeep upkeep(Parts(map), {.minimum = std::chrono::minutes(1), .maximum = std::chrono::minutes(1)}); }

  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_THAT(map.brought(), IsEmpty());
}

}  // namespace
}  // namespace pvebus::migration
