#include "storage-service/core/vlan_plan.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "storage-service/core/testing_vlan_world.h"
#include "storage-service/core/vlan_transaction.h"

namespace pvebus::storage {
namespace {

absl::StatusOr<VlanPlan> PlanIn(VlanWorld& world, const StorageVlan& vlan) {
  return PlanVlan(vlan, *ReadVlanState(world.kernel, world.kernel, vlan));
}

// The steps, or REASON message.
std::string StepsIn(VlanWorld& world, const StorageVlan& vlan) {
  const auto plan = PlanIn(world, vlan);
  if (!plan.ok()) return ErrorReason(plan.status()) + " " + std::string(plan.status().message());
  return StepsText(vlan, plan->steps, /*done=*/false);
}

TEST(VlanPlanTest, MissingLinkIsMadeInOrder) {
  VlanWorld world;

  EXPECT_EQ(
      StepsIn(world, VlanWorld::Vlan()),
      "create vmbr0.100, set its MTU to 1500 (is 9000), isolate it, add tag 100 to bridge vmbr0, add 10.1.0.5/24, bring it up, "
      "add the route to 10.2.0.0/16, add the route to 10.3.0.0/16");
  EXPECT_EQ(StepsIn(world, VlanWorld::SimpleVlan()), "create eno1.7, add 10.7.0.5/24, bring it up");
}

TEST(VlanPlanTest, EqualLinkIsAdoptedAndOnlyCorrected) {
  VlanWorld world;
  Link& link = world.AddLink(VlanWorld::SimpleVlan());
  link.addresses = {*ParseIpPrefix("192.168.1.1/24")};

  EXPECT_EQ(StepsIn(world, VlanWorld::SimpleVlan()), "add 10.7.0.5/24, bring it up");
}

TEST(VlanPlanTest, AnotherLinkOfTheNameIsAConflictThatNamesBothSides) {
  const auto with = [](auto change) {
    VlanWorld world;
    change(world, world.AddLink(VlanWorld::SimpleVlan()));
    return StepsIn(world, VlanWorld::SimpleVlan());
  };

  EXPECT_EQ(with([](VlanWorld&, Link& link) { link.tag = 8; }),
            "VLAN_CONFLICT eno1.7 is 802.1Q VLAN 8 on eno1; asked for was 802.1Q VLAN 7 on eno1");
  EXPECT_EQ(with([](VlanWorld& world, Link& link) { link.lower_index = world.kernel.Find("bond0")->index; }),
            "VLAN_CONFLICT eno1.7 is 802.1Q VLAN 7 on bond0; asked for was 802.1Q VLAN 7 on eno1");
  EXPECT_EQ(with([](VlanWorld&, Link& link) { link.lower_index = 0; }),
            "VLAN_CONFLICT eno1.7 is 802.1Q VLAN 7 on an interface elsewhere; asked for was 802.1Q VLAN 7 on eno1");
  EXPECT_EQ(with([](VlanWorld&, Link& link) { link.dot1q = false; }),
            "VLAN_CONFLICT eno1.7 is 802.1ad VLAN 7 on eno1; asked for was 802.1Q VLAN 7 on eno1");
  EXPECT_EQ(with([](VlanWorld&, Link& link) { link.kind = "dummy"; }),
            "VLAN_CONFLICT eno1.7 is a link of kind dummy; asked for was 802.1Q VLAN 7 on eno1");
  EXPECT_EQ(with([](VlanWorld&, Link& link) { link.kind = ""; }),
            "VLAN_CONFLICT eno1.7 is a network card; asked for was 802.1Q VLAN 7 on eno1");
  EXPECT_EQ(with([](VlanWorld&, Link& link) { link.name = "vlan7"; }),
            "VLAN_CONFLICT tag 7 on eno1 is taken by the link vlan7; asked for was eno1.7");
}

TEST(VlanPlanTest, BaseIsThereAndItsMtuIsNotExceeded) {
  VlanWorld world;
  StorageVlan vlan = VlanWorld::SimpleVlan();
  vlan.mtu = 9001;
  EXPECT_EQ(StepsIn(world, vlan), "MTU_EXCEEDS_BASE eno1.7 is to have MTU 9001, eno1 has 9000");

  world.kernel.Delete("eno1");

  EXPECT_EQ(StepsIn(world, vlan), "BASE_MISSING there is no interface eno1 for eno1.7 to ride on");
}

TEST(VlanPlanTest, AnMtuOfZeroFollowsTheBase) {
  VlanWorld world;
  Link& link = world.AddLink(VlanWorld::SimpleVlan());
  link.addresses = {VlanWorld::SimpleVlan().address};
  link.up = true;
  link.mtu = 1500;

  EXPECT_EQ(StepsIn(world, VlanWorld::SimpleVlan()), "set its MTU to 9000 (is 1500)");
}

TEST(VlanPlanTest, AddressOfAnotherLinkIsAConflict) {
  VlanWorld world;
  world.kernel.Find("bond0")->addresses = {*ParseIpPrefix("10.7.0.5/16")};

  EXPECT_EQ(StepsIn(world, VlanWorld::SimpleVlan()),
            "VLAN_CONFLICT bond0 has the address 10.7.0.5/16; asked for was 10.7.0.5/24 on eno1.7");
}

TEST(VlanPlanTest, SubnetThatIsRoutedElsewhereIsAConflict) {
  VlanWorld world;
  world.kernel.Route({world.kernel.Find("eno1")->index, *ParseIpPrefix("10.2.0.0/16"), ParseIpAddress("10.9.0.1")});
  EXPECT_EQ(StepsIn(world, VlanWorld::Vlan()),
            "VLAN_CONFLICT 10.2.0.0/16 is routed via 10.9.0.1 on eno1 already; asked for was via 10.1.0.1 on vmbr0.100");

  VlanWorld same_link;
  Link& link = same_link.AddLink(VlanWorld::Vlan());
  same_link.kernel.Route({link.index, *ParseIpPrefix("10.2.0.0/16"), std::nullopt});
  EXPECT_EQ(StepsIn(same_link, VlanWorld::Vlan()),
            "VLAN_CONFLICT 10.2.0.0/16 is routed to vmbr0.100 already; asked for was via 10.1.0.1 on vmbr0.100");
}

TEST(VlanPlanTest, WhileTheBaseIsDownTheRestWaits) {
  VlanWorld world;
  world.kernel.BringUp("vmbr0", false);

  const auto plan = PlanIn(world, VlanWorld::Vlan());

  EXPECT_EQ(StepsText(VlanWorld::Vlan(), plan->steps, /*done=*/false),
            "create vmbr0.100, set its MTU to 1500 (is 9000), isolate it, add tag 100 to bridge vmbr0, add 10.1.0.5/24");
  EXPECT_EQ(plan->waiting, "vmbr0 is down");
  EXPECT_FALSE(plan->InOrder());
}

TEST(VlanPlanTest, WhatADryRunFindsIsWhatComesOfIt) {
  VlanWorld world;
  const auto plan = PlanIn(world, VlanWorld::Vlan());
  const VlanState before = *ReadVlanState(world.kernel, world.kernel, VlanWorld::Vlan());
  const std::string foreseen = StateText(VlanWorld::Vlan(), AfterSteps(VlanWorld::Vlan(), plan->steps, before));

  ASSERT_TRUE(world.manager.Create(VlanWorld::Vlan(), /*dry_run=*/false).ok());

  const VlanState after = *ReadVlanState(world.kernel, world.kernel, VlanWorld::Vlan());
  EXPECT_EQ(StateText(VlanWorld::Vlan(), before), "missing");
  EXPECT_EQ(StateText(VlanWorld::Vlan(), after),
            "mtu 1500, up, 10.1.0.5/24, 10.2.0.0/16 via 10.1.0.1, 10.3.0.0/16 via 10.1.0.1, isolated");
  EXPECT_EQ(foreseen, StateText(VlanWorld::Vlan(), after));
}

TEST(VlanPlanTest, FindingsSayWhatDiffers) {
  VlanWorld world;
  EXPECT_EQ(PlanIn(world, VlanWorld::Vlan())->Findings(VlanWorld::Vlan()), "vmbr0.100 is missing");
  ASSERT_TRUE(world.manager.Create(VlanWorld::Vlan(), false).ok());
  EXPECT_EQ(PlanIn(world, VlanWorld::Vlan())->Findings(VlanWorld::Vlan()), "");

  world.kernel.BringUp("vmbr0.100", false);
  Link& link = *world.kernel.Find("vmbr0.100");
  link.mtu = 1400;
  link.addresses.clear();
  world.kernel.Find("vmbr0")->bridge_vids = {1};
  (void)world.kernel.Release("vmbr0.100");

  EXPECT_EQ(PlanIn(world, VlanWorld::Vlan())->Findings(VlanWorld::Vlan()),
            "MTU 1400 instead of 1500, not isolated, tag 100 is missing on bridge vmbr0, address 10.1.0.5/24 is missing, down, "
            "route to 10.2.0.0/16 is missing, route to 10.3.0.0/16 is missing");
}

TEST(VlanPlanTest, WhatWasOursOfALinkThatIsMadeAgainIsOursNoMore) {
  const MadeParts before{.bridge_vid = true, .address = true, .up = true, .routes = {*ParseIpPrefix("10.2.0.0/16")}};

  const MadeParts made = MadeAfter({{.part = VlanStep::Part::kLink}, {.part = VlanStep::Part::kAddress}}, before);

  EXPECT_EQ(made, (MadeParts{.link = true, .bridge_vid = true, .address = true}));
}

}  // namespace
}  // namespace pvebus::storage
