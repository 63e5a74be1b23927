#include "sdk/events/names.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/events/summary.h"

namespace pvebus::events {
namespace {

using event::v1::SystemEvent;

TEST(NamesTest, EveryValueOfAnEnumHasANameThatIsReadAsThatValue) {
  for (int i = event::v1::EventType_MIN + 1; i <= event::v1::EventType_MAX; ++i) {
    const auto type = static_cast<event::v1::EventType>(i);
    EXPECT_EQ(ParseEventType(EventTypeName(type)).value(), type);
  }
  for (int i = event::v1::MigrationPhase_MIN + 1; i <= event::v1::MigrationPhase_MAX; ++i) {
    const auto phase = static_cast<event::v1::MigrationPhase>(i);
    EXPECT_EQ(ParseMigrationPhase(MigrationPhaseName(phase)).value(), phase);
  }
  for (int i = event::v1::ChangeType_MIN + 1; i <= event::v1::ChangeType_MAX; ++i) {
    const auto type = static_cast<event::v1::ChangeType>(i);
    EXPECT_EQ(ParseChangeType(ChangeTypeName(type)).value(), type);
  }
}

TEST(NamesTest, AValueWithoutANameHasAnEmptyOne) {
  EXPECT_EQ(EventTypeName(event::v1::EVENT_TYPE_UNSPECIFIED), "");
  EXPECT_EQ(MigrationPhaseName(static_cast<event::v1::MigrationPhase>(99)), "");
}

TEST(NamesTest, HyphenAndUnderscoreAreEqual) {
  EXPECT_EQ(ParseEventType("container-started").value(), event::v1::EVENT_TYPE_CONTAINER_STARTED);
  EXPECT_EQ(ParseMigrationPhase("perl_only").value(), event::v1::MIGRATION_PHASE_PERL_ONLY);
}

TEST(NamesTest, AnUnknownNameIsRefusedWithWhatIsAllowed) {
  const absl::Status status = ParseMigrationPhase("rust").status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("perl-only, rust-read-only"));
}

TEST(SummaryTest, EveryKindOfEventIsOneLine) {
  SystemEvent container, network, storage, migration, custom;
  container.mutable_container_started()->set_id(101);
  auto* updated = network.mutable_network_applied()->add_changes();
  updated->set_change_type(event::v1::CHANGE_TYPE_UPDATE);
  updated->set_target("vmbr0");
  auto* created = network.mutable_network_applied()->add_changes();
  created->set_change_type(event::v1::CHANGE_TYPE_CREATE);
  created->set_target("vmbr1");
  storage.mutable_storage_vlan_created()->set_id("nas");
  migration.mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_SDN);
  custom.mutable_custom()->set_name("backup-done");

  EXPECT_EQ(Summarize(container), "container 101 started");
  EXPECT_EQ(Summarize(network), "network: vmbr0 updated, vmbr1 created");
  EXPECT_EQ(Summarize(storage), "VLAN of storage nas created");
  EXPECT_EQ(Summarize(migration), "migration phase is now rust-sdn");
  EXPECT_EQ(Summarize(custom), "custom event backup-done");
  EXPECT_EQ(Summarize(SystemEvent()), "no payload");
}

TEST(SummaryTest, ManyChangesAreCut) {
  SystemEvent event;
  for (int i = 0; i < 9; ++i) {
    auto* change = event.mutable_network_applied()->add_changes();
    change->set_change_type(event::v1::CHANGE_TYPE_DELETE);
    change->set_target("vmbr" + std::to_string(i));
  }

  EXPECT_THAT(Summarize(event), testing::EndsWith("vmbr5 deleted and 3 more"));
}

}  // namespace
}  // namespace pvebus::events
