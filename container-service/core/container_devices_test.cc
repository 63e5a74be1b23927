#include "container-service/core/container_devices.h"

#include "container-service/core/testing/node_links.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

TEST(ContainerDevicesTest, NamesAreThoseOfProxmoxVeAndNoOthers) {
  EXPECT_EQ(ParseDeviceName("veth101i0"), std::pair(101u, 0u));
  EXPECT_EQ(ParseDeviceName("veth99999999i31"), std::pair(99999999u, 31u));
  for (const char* name : {"veth101", "veth101i", "vethi0", "veth101i32", "veth0101i0", "veth101i00", "veth99i0", "veth101i0x",
                           "fwln101i0", "tap101i0", "veth1000000000i0", "veth-101i0", "veth101i-1", "veth99999999999i0", ""}) {
    EXPECT_EQ(ParseDeviceName(name), std::nullopt) << name;
  }
}

TEST(ContainerDevicesTest, ADeviceIsInTheBridgeBehindItsFirewall) {
  NodeLinks node;
  node.Bridge("vmbr0").Bridge("vmbr1").FirewalledVeth("101", "0", "vmbr0").Veth("veth101i1", "vmbr1").Veth("veth102i0", "");
  node.Of("veth101i1").up = false;

  const auto containers = DevicesByContainer(node.network);

  ASSERT_EQ(containers.size(), 2);
  EXPECT_EQ(containers.at(101).at(0).bridge, "vmbr0");
  EXPECT_EQ(containers.at(101).at(0).link_index, node.IndexOf("veth101i0"));
  EXPECT_EQ(containers.at(101).at(1).bridge, "vmbr1");
  EXPECT_FALSE(containers.at(101).at(1).up);
  EXPECT_EQ(containers.at(102).at(0).bridge, "");
}

TEST(ContainerDevicesTest, WhatOnlyHasTheNameIsNobodys) {
  NodeLinks node;
  node.Add("veth101i0", "dummy");

  EXPECT_THAT(DevicesByContainer(node.network), ::testing::IsEmpty());
}

TEST(ContainerDevicesTest, AFirewallWithoutItsUplinkLeadsNowhere) {
  NodeLinks node;
  node.Bridge("vmbr0").FirewalledVeth("101", "0", "vmbr0");
  node.Remove("fwpr101p0");

  EXPECT_EQ(DevicesByContainer(node.network).at(101).at(0).bridge, "");
}

}  // namespace
}  // namespace pvebus::container
