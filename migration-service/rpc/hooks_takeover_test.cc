#include "migration-service/rpc/hooks_takeover.h"

#include <filesystem>
#include <memory>

#include "gtest/gtest.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "sdk/hooks/sqlite_hook_journal.h"

namespace pvebus::migration {
namespace {

using Kind = hooks::KeptChange::Kind;

// The values as the versions wrote them that kept the phase in hooks.db.
const hooks::KeptChange kPhase{
    .kind = Kind::kNewest, .name = "phase", .number = 4, .text = "rust-advanced 1700000000250000000 01902-e"};
const hooks::KeptChange kTransaction{.kind = Kind::kAdd, .name = "transactions", .number = 1, .text = "t"};

class HooksTakeoverTest : public testing::Test {
 protected:
  HooksTakeoverTest() {
    std::string pattern = testing::TempDir() + "hooks_takeover_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~HooksTakeoverTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<hooks::SqliteHookJournal> Journal() {
    return *hooks::SqliteHookJournal::Open({.directory = directory_, .program = "migration-service"}, clock_, logger_);
  }
  // As an older version kept it with an event.
  void Keep(const std::string& event_id, hooks::KeptChange change) {
    if (change.kind == Kind::kAdd) change.text = event_id;
    hooks::HookRecord record;
    record.result.set_hook("migration-event-logger");
    record.result.set_state(bus::v1::HOOK_STATE_CHANGED);
    record.ran = true;
    record.kept = {std::move(change)};
    Journal()->Record({.event_id = event_id, .attempt = 1, .records = {record}});
  }
  absl::Status TakeOver() { return TakeOverFromHooks(hooks::HookChain({}, clock_, Journal()), store_); }
  MigrationState::Status Status() { return (*MigrationState::Load(store_))->status(); }

  std::string directory_;
  NullLogger logger_;
  RealClock clock_;
  MemoryMigrationStore store_;
};

TEST_F(HooksTakeoverTest, PhaseAndCountAreTakenOver) {
  Keep("t1", kTransaction);
  Keep("e", kPhase);
  Keep("t2", kTransaction);

  ASSERT_TRUE(TakeOver().ok());

  const MigrationState::Status status = Status();
  EXPECT_EQ(status.phase, Phase::kRustAdvanced);
  EXPECT_EQ(status.last_change, (PhaseChange{.number = 1,
                                             .from = Phase::kPerlOnly,
                                             .to = Phase::kRustAdvanced,
                                             .reason = "taken over from hooks.db",
                                             .event_id = "01902-e",
                                             .time = SystemTime(std::chrono::milliseconds(1'700'000'000'250))}));
  EXPECT_EQ(status.transactions, 2u);
  EXPECT_EQ(status.phase_transactions, 0u);
  EXPECT_EQ(status.last_transaction_event_id, "t2");
}

TEST_F(HooksTakeoverTest, ItHappensOnce) {
  Keep("e", kPhase);
  ASSERT_TRUE(TakeOver().ok());
  ASSERT_TRUE((*MigrationState::Load(store_))->Enter({.to = Phase::kPerlOnly, .event_id = "e2"}, {}).ok());

  ASSERT_TRUE(TakeOver().ok());

  EXPECT_EQ(Status().phase, Phase::kPerlOnly);
  EXPECT_EQ(store_.Changes(0, 10)->size(), 2u);
}

TEST_F(HooksTakeoverTest, StateThatIsNotNewStaysAsItIs) {
  Keep("e", kPhase);
  ASSERT_TRUE(*store_.CountTransaction("t9"));

  ASSERT_TRUE(TakeOver().ok());

  EXPECT_EQ(Status().phase, Phase::kPerlOnly);
  EXPECT_EQ(Status().transactions, 1u);
}

TEST_F(HooksTakeoverTest, CountWithoutAPhaseIsTakenOverToo) {
  Keep("t1", kTransaction);

  ASSERT_TRUE(TakeOver().ok());

  EXPECT_EQ(Status().last_change, std::nullopt);
  EXPECT_EQ(Status().transactions, 1u);
}

TEST_F(HooksTakeoverTest, NothingKeptIsNothingTakenOver) {
  store_.FailNext(absl::InternalError("put"));

  EXPECT_TRUE(TakeOver().ok());

  EXPECT_EQ(*store_.Load(), MigrationRecord{});
}

TEST_F(HooksTakeoverTest, TextThatIsNoPhaseIsLeft) {
  for (const char* text : {"", "rust-sdn", "rust-sdn 17", "ruby 17 e", "rust-sdn x e"}) {
    hooks::KeptChange change = kPhase;
    change.text = text;
    ++change.number;
    Keep(std::string("e") + text, change);

    ASSERT_TRUE(TakeOver().ok());

    EXPECT_EQ(*store_.Load(), MigrationRecord{}) << text;
  }
}

TEST_F(HooksTakeoverTest, FailureOfTheStoreIsSaid) {
  Keep("e", kPhase);
  store_.FailNext(absl::ResourceExhaustedError("no room"));
  EXPECT_EQ(TakeOver().code(), absl::StatusCode::kResourceExhausted);

  EXPECT_TRUE(TakeOver().ok());

  EXPECT_EQ(Status().phase, Phase::kRustAdvanced);
}

}  // namespace
}  // namespace pvebus::migration
