#include "storage-service/core/storage_addresses.h"

#include <string>

#include "gtest/gtest.h"
#include "sdk/base/ip_address.h"

namespace pvebus::storage {
namespace {

TEST(StorageAddressesTest, Ipv4HasFourNumbersUpTo255) {
  for (const char* text : {"10.0.0.1", "0.0.0.0", "255.255.255.255"}) EXPECT_TRUE(IsIpv4(text)) << text;
  for (const char* text : {"", "10.0.0", "10.0.0.1.2", "256.0.0.1", "10.0.0.01", "10..0.1", "a.b.c.d", "10.0.0.1 "}) {
    EXPECT_FALSE(IsIpv4(text)) << text;
  }
}

TEST(StorageAddressesTest, Ipv6HasEightGroupsOrAGap) {
  for (const char* text : {"::", "::1", "fd00::", "fd00::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::ffff:10.0.0.1",
                           "1:2:3:4:5:6:10.0.0.1", "FE80::a:b"}) {
    EXPECT_TRUE(IsIpv6(text)) << text;
  }
  for (const char* text : {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "fd00::12345", "fd00::g",
                           "fd00::1%eth0", "[fd00::1]", "10.0.0.1::", "1:2:3:4:5:6:7::8", "fd00:"}) {
    EXPECT_FALSE(IsIpv6(text)) << text;
  }
}

TEST(StorageAddressesTest, DnsNameHasLabelsOfLettersDigitsAndHyphens) {
  for (const char* text : {"nas", "nas.example.com", "n-1", "1"}) EXPECT_TRUE(IsDnsName(text)) << text;
  for (const char* text : {"", "nas.", ".nas", "-nas", "nas-", "na_s", "nas:2049", "nas/x", "na s"}) {
    EXPECT_FALSE(IsDnsName(text)) << text;
  }
}

TEST(StorageAddressesTest, AnAddressMayHaveAPort) {
  struct Case {
    const char *text, *host, *port;
  };
  for (const Case& expected : {Case{"10.0.0.1", "10.0.0.1", ""}, Case{"10.0.0.1:3260", "10.0.0.1", "3260"},
                               Case{"san.example.com:1", "san.example.com", "1"}, Case{"[fd00::1]", "fd00::1", ""},
                               Case{"[fd00::1]:6789", "fd00::1", "6789"}, Case{"[10.0.0.1]:1", "10.0.0.1", "1"},
                               Case{"fd00::1", "fd00::1", ""}, Case{"fd00::1.3260", "fd00::1", "3260"}}) {
    const auto parsed = ParseHostAndPort(expected.text);

    ASSERT_TRUE(parsed.has_value()) << expected.text;
    EXPECT_EQ(parsed->host, expected.host) << expected.text;
    EXPECT_EQ(parsed->port, expected.port) << expected.text;
  }
  for (const char* text : {"", "san:", "san:port", ":3260", "[fd00::1", "[fd00::1]3260", "[fd00::1]:", "[]", "fd00::1:x", "a b",
                           "v2:10.0.0.1:3300/0"}) {
    EXPECT_FALSE(ParseHostAndPort(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace pvebus::storage
