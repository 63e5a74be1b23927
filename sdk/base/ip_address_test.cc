#include "sdk/base/ip_address.h"

#include "gtest/gtest.h"

namespace pvebus {
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

TEST(IpAddressTest, Ipv6IsWrittenInItsOneForm) {
  EXPECT_EQ(CanonicalIpv6("FD00:0:0:0::1"), "fd00::1");
  EXPECT_EQ(CanonicalIpv6("::"), "::");
  EXPECT_EQ(CanonicalIpv6("::1"), "::1");
  EXPECT_EQ(CanonicalIpv6("1::"), "1::");
  EXPECT_EQ(CanonicalIpv6("1:0:0:2:0:0:0:3"), "1:0:0:2::3");
  EXPECT_EQ(CanonicalIpv6("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(CanonicalIpv6("2001:0db8::0001"), "2001:db8::1");
  EXPECT_EQ(CanonicalIpv6("::ffff:10.1.2.3"), "::ffff:a01:203");
  EXPECT_EQ(CanonicalIpv6("1:2:3:4:5:6:10.1.2.3"), "1:2:3:4:5:6:a01:203");
}

TEST(IpAddressTest, Ipv4StaysAsItIs) {
  EXPECT_EQ(CanonicalIpv4("10.0.255.1"), "10.0.255.1");
  EXPECT_EQ(CanonicalIpv4("0.0.0.0"), "0.0.0.0");
}

TEST(IpAddressTest, WhatIsNoAddressHasNoOneForm) {
  for (const char* text : {"", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1.2", "10.0.0.+1", "10.0.0. 1", "fd00::1", "a.b.c.d",
                           "10..0.1", "10.0.0.1/24"}) {
    EXPECT_FALSE(CanonicalIpv4(text)) << text;
  }
  for (const char* text : {"",
                           ":",
                           ":::",
                           "fe80::1%eno1",
                           "[::1]",
                           "nas",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7",
                           "1::2::3",
                           "1:2:3:4:5:6:7::8",
                           "12345::",
                           "g::",
                           "::10.0.0",
                           "::10.0.0.1:1",
                           "10.0.0.1::",
                           "10.0.0.1",
                           "1:",
                           ":1",
                           "1:2:3:4:5:6:7:10.0.0.1",
                           "::1/64",
                           "+1::"}) {
    EXPECT_FALSE(CanonicalIpv6(text)) << text;
  }
}

}  // namespace
}  // namespace pvebus
