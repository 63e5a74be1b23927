#include "sdk/hooks/event_line.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::hooks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string LineOf(const bus::v1::Delivery& delivery) { return EventLine(client::EventContext(delivery, nullptr, {})); }

bus::v1::Delivery ContainerStarted(uint32_t id) {
  bus::v1::Delivery delivery;
  delivery.set_attempt(2);
  delivery.mutable_event()->set_event_id("e1");
  delivery.mutable_event()->set_sequence(7);
  delivery.mutable_event()->mutable_container_started()->set_id(id);
  return delivery;
}

TEST(EventLineTest, ContainerStartNamesTheContainer) {
  EXPECT_EQ(LineOf(ContainerStarted(101)), "event=container_started event_id=e1 sequence=7 attempt=2 container=101");
  EXPECT_EQ(ResourceOf(ContainerStarted(101).event()), "container/101");
}

TEST(EventLineTest, NetworkChangesAreCountedAndTheFirstTargetsNamed) {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->set_event_id("e1");
  for (int i = 0; i < 10; ++i) {
    delivery.mutable_event()->mutable_network_applied()->add_changes()->set_target("vmbr" + std::to_string(i));
  }

  EXPECT_THAT(LineOf(delivery), HasSubstr("changes=10 targets=vmbr0,vmbr1,vmbr2,vmbr3,vmbr4,vmbr5,vmbr6,vmbr7,+2"));
  EXPECT_EQ(ResourceOf(delivery.event()), "network");
}

TEST(EventLineTest, OtherPayloadsSayWhatMatters) {
  bus::v1::Delivery delivery;
  delivery.mutable_event()->mutable_storage_vlan_created()->set_id("nas");
  EXPECT_THAT(LineOf(delivery), HasSubstr("event=storage_vlan_created"));
  EXPECT_THAT(LineOf(delivery), HasSubstr(" storage=nas"));
  EXPECT_EQ(ResourceOf(delivery.event()), "storage/nas");

  delivery.mutable_event()->mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_SDN);
  EXPECT_THAT(LineOf(delivery), HasSubstr(" phase=rust-sdn"));
  EXPECT_EQ(ResourceOf(delivery.event()), "migration");

  delivery.mutable_event()->mutable_custom()->set_name("backup.done");
  EXPECT_THAT(LineOf(delivery), HasSubstr(" name=backup.done entries=0"));
  EXPECT_EQ(ResourceOf(delivery.event()), "custom/backup.done");
}

TEST(EventLineTest, ValuesCannotForgeKeysOrQuotes) {
  bus::v1::Delivery delivery = ContainerStarted(101);
  delivery.mutable_event()->set_source("x container=999 \"\\");

  EXPECT_THAT(LineOf(delivery), HasSubstr(R"(source="x container=999 \"\\" container=101)"));
}

TEST(EventLineTest, LongValuesAreCut) {
  bus::v1::Delivery delivery = ContainerStarted(101);
  delivery.mutable_event()->set_source(std::string(5000, 'x'));

  EXPECT_LT(LineOf(delivery).size(), 300u);
}

TEST(EventLineTest, ReplayAndDryRunAreMarked) {
  EXPECT_THAT(LineOf(ContainerStarted(101)), Not(HasSubstr("dry_run")));
  bus::v1::Delivery delivery = ContainerStarted(101);
  delivery.set_replay_id("r1");
  delivery.set_dry_run(true);

  EXPECT_THAT(LineOf(delivery), HasSubstr("replay_id=r1 dry_run=true"));
}

TEST(EventLineTest, OwnOrderingKeyDoesNotHideWhatTheEventIsAbout) {
  bus::v1::Delivery delivery = ContainerStarted(101);
  delivery.mutable_event()->set_ordering_key("mine");

  EXPECT_EQ(ResourceOf(delivery.event()), "container/101");
}

}  // namespace
}  // namespace pvebus::hooks
