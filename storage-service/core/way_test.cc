#include "storage-service/core/way.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using testing::ElementsAre;

Link Nic(int index, std::string name, int master = 0) {
  return {.index = index, .name = std::move(name), .master_index = master, .up = true, .running = true};
}
Link Master(int index, std::string name, std::string kind, int master = 0) {
  return {.index = index, .name = std::move(name), .kind = std::move(kind), .master_index = master, .up = true};
}
Link Vlan(int index, std::string name, int lower, uint16_t tag, int master = 0) {
  return {.index = index,
          .name = std::move(name),
          .kind = "vlan",
          .lower_index = lower,
          .master_index = master,
          .tag = tag,
          .up = true};
}

// vmbr0.100 on vmbr0 on bond0 on eno1 and eno2.
NetworkSnapshot Storied() {
  return {.links = {Nic(1, "eno1", 3), Nic(2, "eno2", 3), Master(3, "bond0", "bond", 4), Master(4, "vmbr0", "bridge"),
                    Vlan(5, "vmbr0.100", 4, 100), Nic(6, "eno3")}};
}

TEST(WayTest, GoesDownThroughVlanBridgeAndBond) {
  const Way way = WayOf(Storied(), {.link_index = 5, .gateway = ParseIpAddress("10.0.0.1")});

  EXPECT_EQ(way.interface, "vmbr0.100");
  EXPECT_EQ(way.gateway->ToString(), "10.0.0.1");
  EXPECT_EQ(way.tag, 100);
  EXPECT_THAT(way.chain, ElementsAre("vmbr0.100", "vmbr0", "bond0", "eno1", "eno2"));
  EXPECT_TRUE(way.link_up) << way.link_message;
}

TEST(WayTest, TagIsThatOfTheVlanBelowABridge) {
  const NetworkSnapshot network{.links = {Nic(1, "eno1"), Vlan(2, "eno1.7", 1, 7, 3), Master(3, "vmbr7", "bridge")}};

  EXPECT_EQ(WayOf(network, {.link_index = 3}).tag, 7);
}

TEST(WayTest, OneSlaveOfABondIsEnough) {
  NetworkSnapshot network = Storied();
  network.links[0].running = false;
  EXPECT_TRUE(WayOf(network, {.link_index = 5}).link_up);

  network.links[1].up = false;
  const Way way = WayOf(network, {.link_index = 5});

  EXPECT_FALSE(way.link_up);
  EXPECT_EQ(way.link_message, "no link below bond0 can carry packets: link eno1 has no carrier");
}

TEST(WayTest, WhatStandsOnALinkThatIsDownIsDown) {
  NetworkSnapshot network = Storied();
  network.links[3].up = false;

  EXPECT_EQ(WayOf(network, {.link_index = 5}).link_message, "link vmbr0 is down");
}

TEST(WayTest, BridgeWithoutPortsIsUpAndABondWithoutSlavesIsNot) {
  const NetworkSnapshot network{.links = {Master(1, "vmbr9", "bridge"), Master(2, "bond9", "bond")}};

  EXPECT_TRUE(WayOf(network, {.link_index = 1}).link_up);
  EXPECT_EQ(WayOf(network, {.link_index = 2}).link_message, "bond bond9 has no slave");
}

TEST(WayTest, PortsOfGuestsCarryNothingToAServer) {
  NetworkSnapshot network{
      .links = {Nic(1, "eno1", 9), Nic(2, "tap100i0", 9), Nic(3, "veth101i0", 9), Master(9, "vmbr0", "bridge")}};
  network.links[0].running = false;
  network.links[1].kind = "tun";
  network.links[2].kind = "veth";
  const Way way = WayOf(network, {.link_index = 9});
  EXPECT_THAT(way.chain, ElementsAre("vmbr0", "eno1"));
  EXPECT_EQ(way.link_message, "link eno1 has no carrier");

  network.links.erase(network.links.begin());

  EXPECT_THAT(WayOf(network, {.link_index = 9}).chain, ElementsAre("vmbr0", "tap100i0", "veth101i0"));
}

TEST(WayTest, LoopsEnd) {
  NetworkSnapshot network{.links = {Vlan(1, "a", 2, 5), Vlan(2, "b", 1, 6)}};

  EXPECT_THAT(WayOf(network, {.link_index = 1}).chain, ElementsAre("a", "b"));
}

TEST(WayTest, LinkThatIsGoneIsSaid) {
  const Way way = WayOf(Storied(), {.link_index = 77});

  EXPECT_EQ(way.interface, "");
  EXPECT_EQ(way.link_message, "the link of its route is gone");
}

}  // namespace
}  // namespace pvebus::storage
