#include "container-service/rpc/lifecycle_event.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

TEST(LifecycleEventTest, EveryThingThatHappensTravelsWithTheBus) {
  for (const Lifecycle& what : {Lifecycle{.kind = LifecycleKind::kStarted, .container_id = 101},
                                Lifecycle{.kind = LifecycleKind::kStopped, .container_id = 102},
                                Lifecycle{.kind = LifecycleKind::kMigrated, .container_id = 999'999'999},
                                Lifecycle{LifecycleKind::kInterfaceAdded, 101, "net1", "veth101i1", "", "vmbr0"},
                                Lifecycle{LifecycleKind::kInterfaceRemoved, 101, "net1", "veth101i1", "vmbr0", ""},
                                Lifecycle{LifecycleKind::kInterfaceUpdated, 101, "net1", "veth101i1", "vmbr0", "vmbr1"},
                                Lifecycle{LifecycleKind::kVnetBound, 101, "net1", "veth101i1", "", "blue"},
                                Lifecycle{LifecycleKind::kVnetUnbound, 101, "net1", "veth101i1", "blue", ""}}) {
    EXPECT_EQ(LifecycleOf(EventOf(what)), what) << LifecycleName(what.kind);
  }
}

TEST(LifecycleEventTest, AStartIsExactlyWhatAHookscriptTells) {
  const event::v1::SystemEvent event = EventOf({.kind = LifecycleKind::kStarted, .container_id = 101});

  EXPECT_EQ(event.container_started().id(), 101);
  EXPECT_EQ(event.source(), "container-service");
  EXPECT_EQ(event.subject(), "101");
  EXPECT_EQ(event.ordering_key(), "");
}

TEST(LifecycleEventTest, CustomEventsSayWhoseTheyAreAndFollowItsOrder) {
  const event::v1::SystemEvent event = EventOf({LifecycleKind::kInterfaceAdded, 101, "net1", "veth101i1", "", "vmbr0"});

  EXPECT_EQ(event.ordering_key(), "container/101");
  EXPECT_EQ(event.custom().name(), "container_network_changed");
  EXPECT_EQ(event.custom().data().at("container_id").number_value(), 101);
  EXPECT_EQ(event.custom().data().at("change").string_value(), "interface_added");
  EXPECT_EQ(EventOf({.kind = LifecycleKind::kStopped, .container_id = 101}).custom().name(), "container_stopped");
}

TEST(LifecycleEventTest, WhatIsAboutNoContainerIsNothing) {
  event::v1::SystemEvent event;
  EXPECT_EQ(LifecycleOf(event), std::nullopt);
  event.mutable_network_applied();
  EXPECT_EQ(LifecycleOf(event), std::nullopt);
  event::v1::Custom& custom = *event.mutable_custom();
  custom.set_name("backup_done");
  (*custom.mutable_data())["container_id"].set_number_value(101);
  EXPECT_EQ(LifecycleOf(event), std::nullopt);
  custom.set_name("container_stopped");
  EXPECT_NE(LifecycleOf(event), std::nullopt);
  for (const double id : {99.0, 101.5, -1.0, 1e18}) {
    (*custom.mutable_data())["container_id"].set_number_value(id);
    EXPECT_EQ(LifecycleOf(event), std::nullopt) << id;
  }
  (*custom.mutable_data())["container_id"].set_string_value("101");
  EXPECT_EQ(LifecycleOf(event), std::nullopt);
}

TEST(LifecycleEventTest, AChangeOfTheNetworkMustBeOneOfAnInterface) {
  event::v1::SystemEvent event = EventOf({LifecycleKind::kInterfaceAdded, 101, "net1", "", "", ""});
  event::v1::Custom& custom = *event.mutable_custom();
  for (const char* change : {"container_started", "container_stopped", "", "else"}) {
    (*custom.mutable_data())["change"].set_string_value(change);
    EXPECT_EQ(LifecycleOf(event), std::nullopt) << change;
  }
  custom.set_name("interface_added");
  EXPECT_EQ(LifecycleOf(event), std::nullopt);
}

}  // namespace
}  // namespace pvebus::container
