#include "migration-service/rpc/gate_keeper.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "migration-service/rpc/testing_fake_registry.h"
#include "sdk/client/channel.h"

namespace pvebus::migration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class GateKeeperTest : public testing::Test {
 protected:
  GateKeeper Keeper(GateLimits limits) { return {std::move(limits), *state_, registry_.channel()}; }

  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  FakeRegistry registry_;
};

TEST_F(GateKeeperTest, CountsOfThePhaseOpenTheirGates) {
  const GateKeeper keeper = Keeper({.min_transactions = 1, .max_failure_share = 0.5, .min_reports = 2});
  const auto open = [&] {
    std::vector<bool> gates;
    for (const GateVerdict& verdict : keeper.Judge()) gates.push_back(verdict.open);
    return gates;
  };
  EXPECT_THAT(open(), ElementsAre(false, false));

  ASSERT_TRUE(state_->CountTransaction("t1").ok());
  state_->Report(true);
  state_->Report(false);

  EXPECT_THAT(open(), ElementsAre(true, true));
  EXPECT_EQ(registry_.asked(), 0);
  ASSERT_TRUE(state_->Enter({.to = Phase::kRustReadOnly, .event_id = "e1"}, {}).ok());
  EXPECT_THAT(open(), ElementsAre(false, false));
}

TEST_F(GateKeeperTest, DeadLettersAreAskedOfTheBus) {
  registry_.Set("storage-hooks", 0);
  registry_.Set("container-network-hooks", 3);

  EXPECT_THAT(
      Keeper({.quiet_listeners = {"storage-hooks", "container-network-hooks", "nobody"}}).Judge(),
      ElementsAre(GateVerdict{.gate = "dead-letters/storage-hooks", .open = true, .message = "0 dead letters"},
                  GateVerdict{.gate = "dead-letters/container-network-hooks", .message = "3 dead letters"},
                  GateVerdict{.gate = "dead-letters/nobody", .message = "the bus does not say how many dead letters it has"}));
}

TEST_F(GateKeeperTest, BusThatIsAwayKeepsTheGateClosedAndSaysSo) {
  const GateKeeper keeper({.quiet_listeners = {"storage-hooks"}}, *state_, client::Connect("127.0.0.1:1"));

  const std::vector<GateVerdict> verdicts = keeper.Judge();

  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_FALSE(verdicts[0].open);
  EXPECT_THAT(verdicts[0].message, StartsWith(kBusDoesNotSay));
}

TEST_F(GateKeeperTest, OnlyWhatGoesForwardWithoutForceIsJudged) {
  const GateKeeper keeper = Keeper({.min_transactions = 1, .quiet_listeners = {"storage-hooks"}});
  ASSERT_TRUE(state_->Enter({.to = Phase::kRustReadOnly, .event_id = "e1"}, {}).ok());

  EXPECT_THAT(keeper.JudgeFor({.to = Phase::kPerlOnly}), IsEmpty());
  EXPECT_THAT(keeper.JudgeFor({.to = Phase::kRustReadOnly}), IsEmpty());
  EXPECT_THAT(keeper.JudgeFor({.to = Phase::kRustBasicWrite, .force = true}), IsEmpty());
  EXPECT_EQ(registry_.asked(), 0);
  EXPECT_EQ(keeper.JudgeFor({.to = Phase::kRustBasicWrite}).size(), 2u);
}

}  // namespace
}  // namespace pvebus::migration
