#include "storage-service/core/storage_vlan.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

StorageVlan Valid() {
  return {.storage_id = "nas",
          .base = "vmbr0",
          .tag = 100,
          .address = *ParseIpPrefix("10.1.0.5/24"),
          .mtu = 9000,
          .gateway = ParseIpAddress("10.1.0.1"),
          .routed_subnets = {*ParseIpPrefix("10.2.0.0/16")},
          .isolated = true};
}

std::string ReasonOf(const StorageVlan& vlan) { return ErrorReason(CheckStorageVlan(vlan)); }

template <typename Change>
std::string ReasonWith(Change change) {
  StorageVlan vlan = Valid();
  change(vlan);
  return ReasonOf(vlan);
}

std::string ReasonWithAddress(std::string_view address) {
  return ReasonOf({.storage_id = "nas", .base = "vmbr0", .tag = 100, .address = *ParseIpPrefix(address)});
}

std::string ReasonWithRoutes(std::vector<std::string> subnets) {
  return ReasonWith([&](StorageVlan& vlan) {
    vlan.routed_subnets.clear();
    for (const std::string& subnet : subnets) vlan.routed_subnets.push_back(*ParseIpPrefix(subnet));
  });
}

TEST(StorageVlanTest, IsWrittenInOneLine) {
  EXPECT_EQ(Valid().ToString(), "vmbr0.100 10.1.0.5/24 mtu 9000 via 10.1.0.1 to 10.2.0.0/16 isolated");
  EXPECT_EQ(Valid().LinkName(), "vmbr0.100");
}

TEST(StorageVlanTest, ReachesItsOwnAndTheRoutedSubnets) {
  const auto subnets = Valid().ReachableSubnets();

  ASSERT_EQ(subnets.size(), 2u);
  EXPECT_EQ(subnets[0].ToString(), "10.1.0.0/24");
  EXPECT_EQ(subnets[1].ToString(), "10.2.0.0/16");
}

TEST(StorageVlanTest, WhatIsRightIsTaken) {
  EXPECT_EQ(ReasonOf(Valid()), "");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.base = "12345678901", v.tag = 100; }), "");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.gateway = ParseIpAddress("192.168.7.1"); }), "");
  for (const char* address : {"10.1.0.4/31", "10.1.0.5/32", "fd00::5/64", "fd00::/127", "10.1.1.0/23", "10.1.0.255/23"}) {
    EXPECT_EQ(ReasonWithAddress(address), "") << address;
  }
}

TEST(StorageVlanTest, EachBadFieldHasItsReason) {
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.storage_id = "n"; }), "STORAGE_ID_INVALID");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.storage_id = std::string(101, 'n'); }), "STORAGE_ID_INVALID");
  for (const char* base : {"", ".", "..", "a b", "eth/0", "eth:0", "eth*", "e\"th", "12345678901234567", "eth%d"}) {
    EXPECT_EQ(ReasonWith([&](StorageVlan& v) { v.base = base; }), "BASE_INVALID") << base;
  }
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.tag = 0; }), "TAG_INVALID");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.tag = 4095; }), "TAG_INVALID");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.base = "123456789012"; }), "LINK_NAME_TOO_LONG");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.mtu = 67; }), "MTU_INVALID");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.mtu = 65536; }), "MTU_INVALID");
}

TEST(StorageVlanTest, AddressIsOneOfAHost) {
  for (const char* address : {"10.1.0.0/24", "10.1.0.255/24", "224.0.0.1/24", "127.0.0.1/8", "0.0.0.0/0", "10.1.0.5/0",
                              "fd00::/64", "ff02::1/64", "::1/128", "fe80::1/64", "255.255.255.255/32", "::ffff:10.1.0.5/120"}) {
    EXPECT_EQ(ReasonWithAddress(address), "ADDRESS_INVALID") << address;
  }
}

TEST(StorageVlanTest, Ipv6NeedsAnMtuOf1280) {
  StorageVlan vlan{.storage_id = "nas", .base = "vmbr0", .tag = 100, .address = *ParseIpPrefix("fd00::5/64"), .mtu = 1279};
  EXPECT_EQ(ReasonOf(vlan), "MTU_INVALID");
  vlan.mtu = 1280;
  EXPECT_EQ(ReasonOf(vlan), "");
}

TEST(StorageVlanTest, GatewayIsAnotherHostOfTheFamilyForNamedSubnets) {
  for (const char* gateway : {"10.1.0.5", "fd00::1", "10.1.0.0", "10.1.0.255", "224.0.0.1", "0.0.0.0"}) {
    EXPECT_EQ(ReasonWith([&](StorageVlan& v) { v.gateway = ParseIpAddress(gateway); }), "GATEWAY_INVALID") << gateway;
  }
  EXPECT_EQ(ReasonWithRoutes({}), "GATEWAY_INVALID");
}

TEST(StorageVlanTest, RoutesAreOtherSubnetsOfTheFamily) {
  for (const char* subnet : {"10.2.0.1/16", "0.0.0.0/0", "fd00::/64", "10.1.0.0/24", "224.0.0.0/8", "127.0.0.0/8"}) {
    EXPECT_EQ(ReasonWithRoutes({subnet}), "ROUTE_INVALID") << subnet;
  }
  EXPECT_EQ(ReasonWithRoutes({"10.2.0.0/16", "10.2.0.0/16"}), "ROUTE_INVALID");
  EXPECT_EQ(ReasonWith([](StorageVlan& v) { v.gateway.reset(); }), "ROUTE_INVALID");
  std::vector<std::string> subnets;
  for (int i = 0; i < 64; ++i) subnets.push_back("10.2." + std::to_string(i) + ".0/24");
  EXPECT_EQ(ReasonWithRoutes(subnets), "");
  subnets.push_back("10.3.0.0/24");
  EXPECT_EQ(ReasonWithRoutes(subnets), "ROUTE_INVALID");
}

TEST(StorageVlanTest, ErrorsNameTheFieldAndTheLimit) {
  StorageVlan vlan = Valid();
  vlan.tag = 4095;

  const absl::Status status = CheckStorageVlan(vlan);

  EXPECT_EQ(status.message(), "tag: 4095 is not from 1 to 4094");
  EXPECT_EQ(ErrorMetadata(status).at("field"), "tag");
}

}  // namespace
}  // namespace pvebus::storage
