#include "storage-service/core/ip_address.h"

#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

std::string Canonical(std::string_view text) {
  const auto address = ParseIpAddress(text);
  return address ? address->ToString() : "none";
}

TEST(IpAddressTest, AddressesAreWrittenInTheirOneForm) {
  EXPECT_EQ(Canonical("10.0.255.1"), "10.0.255.1");
  EXPECT_EQ(Canonical("FD00:0:0:0::1"), "fd00::1");
  EXPECT_EQ(Canonical("::"), "::");
  EXPECT_EQ(Canonical("::1"), "::1");
  EXPECT_EQ(Canonical("1::"), "1::");
  EXPECT_EQ(Canonical("1:0:0:2:0:0:0:3"), "1:0:0:2::3");
  EXPECT_EQ(Canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(Canonical("::ffff:10.1.2.3"), "::ffff:a01:203");
}

TEST(IpAddressTest, WhatIsNoAddressIsNone) {
  for (const char* text : {"", "10.0.0", "10.0.0.256", "010.0.0.1", "fe80::1%eno1", "[::1]", "nas", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_EQ(Canonical(text), "none") << text;
  }
}

TEST(IpAddressTest, PrefixHasALengthThatFits) {
  EXPECT_EQ(ParseIpPrefix("10.1.0.5/24")->ToString(), "10.1.0.5/24");
  EXPECT_EQ(ParseIpPrefix("fd00::5/64")->ToString(), "fd00::5/64");
  for (const char* text : {"10.1.0.5", "10.1.0.5/", "10.1.0.5/33", "10.1.0.5/-1", "10.1.0.5/2 ", "fd00::/129", "/24"}) {
    EXPECT_FALSE(ParseIpPrefix(text)) << text;
  }
}

TEST(IpAddressTest, SubnetHoldsItsHostsAndNoOthers) {
  const IpPrefix prefix = *ParseIpPrefix("10.1.3.5/22");

  EXPECT_EQ(prefix.Subnet().ToString(), "10.1.0.0/22");
  EXPECT_TRUE(prefix.Contains(*ParseIpAddress("10.1.0.1")));
  EXPECT_FALSE(prefix.Contains(*ParseIpAddress("10.1.4.1")));
  EXPECT_FALSE(prefix.Contains(*ParseIpAddress("fd00::1")));
  EXPECT_TRUE(ParseIpPrefix("::/0")->Contains(*ParseIpAddress("fd00::1")));
  EXPECT_EQ(ParseIpPrefix("fd00:0:0:1:2::/65")->Subnet().ToString(), "fd00:0:0:1::/65");
}

}  // namespace
}  // namespace pvebus::storage
