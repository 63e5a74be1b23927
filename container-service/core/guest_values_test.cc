#include "container-service/core/guest_values.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

TEST(GuestValuesTest, EncodedCharactersAreDecoded) {
  EXPECT_EQ(DecodeText("a%3Ab%3a"), "a:b:");
  EXPECT_EQ(DecodeText("K%C3%BCche"), "Küche");
  EXPECT_EQ(DecodeText("100%"), "100%");
  EXPECT_EQ(DecodeText("%4"), "%4");
  EXPECT_EQ(DecodeText("%zz%+1% 1%-1"), "%zz%+1% 1%-1");
  EXPECT_EQ(DecodeText("%2541"), "%41") << "once only";
  EXPECT_EQ(DecodeText(""), "");
}

TEST(GuestValuesTest, DnsNamesAreLabelsWithDotsBetween) {
  for (const char* name : {"a", "web1", "Web-1.example.com", "1.2"}) EXPECT_TRUE(IsDnsName(name)) << name;
  for (const char* name : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "é"}) EXPECT_FALSE(IsDnsName(name)) << name;
}

TEST(GuestValuesTest, NameserversAreAddressesInTheirOneForm) {
  EXPECT_EQ(ParseNameserver("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(ParseNameserver("FD00:0::1"), "fd00::1");
  EXPECT_EQ(ParseNameserver("FE80::1%eth0"), "fe80::1%eth0");
  for (const char* text : {"", "dns.example.com", "10.0.0.1/24", "fd00::1%eth0", "fe80::1%", "fe80::1%1", "10.0.0.1%eth0"}) {
    EXPECT_EQ(ParseNameserver(text), std::nullopt) << text;
  }
}

TEST(GuestValuesTest, InterfacesAreNumberedFrom0To31) {
  EXPECT_EQ(ParseNetIndex("net0"), 0u);
  EXPECT_EQ(ParseNetIndex("net31"), 31u);
  for (const char* key : {"net", "net32", "net00", "net01", "net-1", "nett0", "net4294967296", "mp0", ""}) {
    EXPECT_EQ(ParseNetIndex(key), std::nullopt) << key;
  }
}

TEST(GuestValuesTest, OptionsAreKnownByName) {
  for (const char* key : {"hostname", "memory", "net0", "mp255", "unused3", "dev0", "unprivileged", "arch"}) {
    EXPECT_TRUE(IsOption(key)) << key;
  }
  for (const char* key : {"", "net", "mp", "memory1", "hostnam", "scsi0", "nets0"}) EXPECT_FALSE(IsOption(key)) << key;
  for (const std::string& name : OptionNames()) EXPECT_TRUE(IsOption(name)) << name;
}

}  // namespace
}  // namespace pvebus::container
