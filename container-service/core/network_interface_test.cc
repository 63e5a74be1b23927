#include "container-service/core/network_interface.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using testing::AllOf;
using testing::HasSubstr;

NetworkInterface Parsed(std::string_view value) {
  const auto interface = ParseNetworkInterface(value);
  EXPECT_TRUE(interface.ok()) << value << ": " << interface.status();
  return interface.value_or(NetworkInterface());
}

std::string WhyNot(std::string_view value) { return std::string(ParseNetworkInterface(value).status().message()); }

TEST(NetworkInterfaceTest, EveryPropertyIsUnderstood) {
  const NetworkInterface interface = Parsed(
      "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:0a:0B:0c,ip=10.0.0.5/24,gw=10.0.0.1,ip6=FD00:0:0::5/64,gw6=FD00::0:1,tag=100,"
      "trunks=10;20;4094,mtu=1400,rate=12.5,firewall=1,link_down=1,type=veth");

  EXPECT_EQ(interface, (NetworkInterface{.inside_name = "eth0",
                                         .type = "veth",
                                         .bridge = "vmbr0",
                                         .hwaddr = "BC:24:11:0a:0B:0c",
                                         .ip = "10.0.0.5/24",
                                         .gw = "10.0.0.1",
                                         .ip6 = "fd00::5/64",
                                         .gw6 = "fd00::1",
                                         .tag = 100,
                                         .trunks = std::vector<uint16_t>{10, 20, 4094},
                                         .firewall = true,
                                         .link_down = true,
                                         .mtu = 1400,
                                         .rate = 12.5}));
}

TEST(NetworkInterfaceTest, WhatIsAbsentStaysAbsentButTheType) {
  EXPECT_EQ(Parsed("name=eth0"), (NetworkInterface{.inside_name = "eth0", .type = "veth"}));
}

TEST(NetworkInterfaceTest, EmptyPartsAreNone) {
  EXPECT_EQ(Parsed(",,name=eth0, ,bridge=vmbr0,\t,"), (NetworkInterface{.inside_name = "eth0", .bridge = "vmbr0"}));
}

TEST(NetworkInterfaceTest, AddressesAreAlsoWords) {
  EXPECT_EQ(Parsed("name=a,ip=dhcp").ip, "dhcp");
  EXPECT_EQ(Parsed("name=a,ip=manual").ip, "manual");
  EXPECT_EQ(Parsed("name=a,ip6=dhcp").ip6, "dhcp");
  EXPECT_EQ(Parsed("name=a,ip6=manual").ip6, "manual");
  EXPECT_EQ(Parsed("name=a,ip6=auto").ip6, "auto");
  EXPECT_EQ(Parsed("name=a,ip=10.0.0.0/8").ip, "10.0.0.0/8");
  EXPECT_EQ(Parsed("name=a,ip=10.0.0.1/32").ip, "10.0.0.1/32");
  EXPECT_EQ(Parsed("name=a,ip6=::/8").ip6, "::/8");
  EXPECT_EQ(Parsed("name=a,ip6=fd00::1/128").ip6, "fd00::1/128");
}

TEST(NetworkInterfaceTest, BooleansHaveFourWordsEach) {
  for (const char* word : {"1", "on", "yes", "true", "ON", "Yes", "tRUE"}) {
    EXPECT_EQ(Parsed(std::string("name=a,firewall=") + word).firewall, true) << word;
    EXPECT_EQ(Parsed(std::string("name=a,link_down=") + word).link_down, true) << word;
  }
  for (const char* word : {"0", "off", "no", "false", "OFF", "No"}) {
    EXPECT_EQ(Parsed(std::string("name=a,firewall=") + word).firewall, false) << word;
  }
}

TEST(NetworkInterfaceTest, NumbersReachTheirLimits) {
  EXPECT_EQ(Parsed("name=a,tag=1").tag, 1);
  EXPECT_EQ(Parsed("name=a,tag=4094").tag, 4094);
  EXPECT_EQ(Parsed("name=a,mtu=64").mtu, 64u);
  EXPECT_EQ(Parsed("name=a,mtu=65535").mtu, 65535u);
  EXPECT_EQ(Parsed("name=a,rate=0").rate, 0);
  EXPECT_EQ(Parsed("name=a,rate=1e3").rate, 1000);
  EXPECT_EQ(Parsed("name=a,trunks=7").trunks, std::vector<uint16_t>{7});
}

struct Bad {
  const char* value;
  const char* why;
};

class BadInterfaceTest : public testing::TestWithParam<Bad> {};

TEST_P(BadInterfaceTest, IsRefusedWithWhatWouldBeRight) {
  const auto interface = ParseNetworkInterface(GetParam().value);

  EXPECT_EQ(interface.status().code(), absl::StatusCode::kInvalidArgument) << GetParam().value;
  EXPECT_THAT(WhyNot(GetParam().value), HasSubstr(GetParam().why)) << GetParam().value;
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadInterfaceTest,
    testing::Values(
        Bad{"", "'name', what the interface is called inside, is missing"}, Bad{"bridge=vmbr0,ip=dhcp", "'name'"},
        Bad{" , ,", "'name'"}, Bad{"veth,name=eth0", "'veth' is a bare word"}, Bad{"name=eth0,firewall", "'firewall' is a bare"},
        Bad{"name", "'name' is a bare word"}, Bad{"name=eth0,=x", "there is no property ''"}, Bad{"name=", "'name' has no value"},
        Bad{"name=eth0,gw=", "'gw' has no value"}, Bad{"name=eth0,name=eth1", "'name' stands there twice"},
        Bad{"name=a,tag=1,tag=1", "'tag' stands there twice"},
        Bad{"name=eth0,brigde=vmbr0", "no property 'brigde' (did you mean 'bridge'?)"},
        Bad{"name=eth0,host-managed=1", "no property 'host-managed'"}, Bad{"name=eth0,Bridge=vmbr0", "(did you mean 'bridge'?)"},
        Bad{"name=eth0, bridge=vmbr0", "no property ' bridge'"}, Bad{"name=eth 0", "'name' is wrong: 'eth 0'"},
        Bad{"name=eth:0", "'name' is wrong"}, Bad{"name=eth0 ,bridge=b", "'name' is wrong"},
        Bad{"name=a,bridge=vm/br0", "'bridge' is wrong"}, Bad{"name=a,type=phys", "'type' is wrong: 'phys' is not veth"},
        Bad{"name=a,tag=0", "tag from 1 to 4094"}, Bad{"name=a,tag=4095", "tag from 1 to 4094"}, Bad{"name=a,tag=-1", "tag"},
        Bad{"name=a,tag=ten", "tag"}, Bad{"name=a,tag=1.5", "tag"}, Bad{"name=a,tag=99999999999999999999", "tag"},
        Bad{"name=a,tag=1;2", "tag"}, Bad{"name=a,trunks=0", "list of VLAN tags"},
        Bad{"name=a,trunks=10;4095", "list of VLAN tags"}, Bad{"name=a,trunks=10;", "list of VLAN tags"},
        Bad{"name=a,trunks=10;;20", "list of VLAN tags"}, Bad{"name=a,trunks=2-9", "list of VLAN tags"},
        Bad{"name=a,mtu=63", "MTU from 64 to 65535"}, Bad{"name=a,mtu=65536", "MTU from 64 to 65535"},
        Bad{"name=a,rate=-1", "rate"}, Bad{"name=a,rate=fast", "rate"}, Bad{"name=a,rate=1e999", "rate"},
        Bad{"name=a,rate=inf", "rate"}, Bad{"name=a,rate=nan", "rate"}, Bad{"name=a,rate=-0", "rate"},
        Bad{"name=a,firewall=2", "'firewall' is wrong: '2' is neither 1 nor 0"},
        Bad{"name=a,firewall=enabled", "neither 1 nor 0"}, Bad{"name=a,link_down=truely", "neither 1 nor 0"},
        Bad{"name=a,hwaddr=BC:24:11:00:00", "MAC"}, Bad{"name=a,hwaddr=BC-24-11-00-00-01", "MAC"},
        Bad{"name=a,hwaddr=BC:24:11:00:00:0G", "MAC"}, Bad{"name=a,hwaddr=BC:24:11:00:00:011", "MAC"},
        Bad{"name=a,hwaddr=01:00:5E:00:00:01", "multicast"}, Bad{"name=a,hwaddr=BB:24:11:00:00:01", "multicast"},
        Bad{"name=a,hwaddr=0f:24:11:00:00:01", "multicast"}, Bad{"name=a,ip=10.0.0.5", "ADDRESS/LENGTH"},
        Bad{"name=a,ip=10.0.0.5/", "ADDRESS/LENGTH"}, Bad{"name=a,ip=10.0.0.5/33", "ADDRESS/LENGTH"},
        Bad{"name=a,ip=10.0.0.5/7", "ADDRESS/LENGTH"}, Bad{"name=a,ip=10.0.0.256/24", "ADDRESS/LENGTH"},
        Bad{"name=a,ip=fd00::1/64", "ADDRESS/LENGTH"}, Bad{"name=a,ip=auto", "ADDRESS/LENGTH"},
        Bad{"name=a,ip=DHCP", "ADDRESS/LENGTH"}, Bad{"name=a,ip=10.0.0.5/24/24", "ADDRESS/LENGTH"},
        Bad{"name=a,ip6=fd00::1", "ADDRESS/LENGTH"}, Bad{"name=a,ip6=fd00::1/129", "ADDRESS/LENGTH"},
        Bad{"name=a,ip6=10.0.0.1/24", "ADDRESS/LENGTH"}, Bad{"name=a,ip6=slaac", "ADDRESS/LENGTH"},
        Bad{"name=a,gw=fd00::1", "no IPv4 address"}, Bad{"name=a,gw=10.0.0.1/24", "no IPv4 address"},
        Bad{"name=a,gw6=10.0.0.1", "no IPv6 address"}, Bad{"name=a,gw6=fe80::1%eth0", "no IPv6 address"}));

TEST(NetworkInterfaceTest, MessageQuotesAreShortAndValid) {
  const std::string why = WhyNot("name=a,ip=\xff" + std::string(100'000, 'x'));

  EXPECT_LT(why.size(), 300u);
  EXPECT_THAT(why, AllOf(HasSubstr("'?xxx"), HasSubstr("...'")));
}

}  // namespace
}  // namespace pvebus::container
