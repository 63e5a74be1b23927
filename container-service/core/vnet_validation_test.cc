#include "container-service/core/vnet_validation.h"

#include "container-service/core/testing/node_links.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VnetValidationTest : public ::testing::Test {
 protected:
  VnetValidationTest() {
    node_.Bridge("vmbr0").Bridge("vmbr1", /*vlan_aware=*/true, /*mtu=*/9000).Bridge("blue").Bridge("red", /*vlan_aware=*/true);
    node_.Add("eno1", "");
    vnets_ = {{"blue", {.zone = "z"}}, {"red", {.zone = "z", .vlan_aware = true, .zone_mtu = 1450}}, {"green", {.zone = "far"}}};
  }

  std::vector<std::string> Messages(const std::string& net0, uint32_t container_id = 101) {
    const ContainerConfig config = ParseContainerConfig("net0: name=eth0," + net0 + "\n", container_id, vnets_);
    std::vector<std::string> messages;
    for (const NetworkFinding& finding : ValidateNetwork(config, vnets_, node_.network)) {
      EXPECT_EQ(finding.interface, "net0");
      messages.push_back((finding.warning ? "warning: " : "") + finding.message);
    }
    return messages;
  }

  NodeLinks node_;
  Vnets vnets_;
};

TEST_F(VnetValidationTest, WhatFitsHasNoFindings) {
  EXPECT_THAT(Messages("bridge=vmbr0"), IsEmpty());
  EXPECT_THAT(Messages("bridge=vmbr0,tag=5"), IsEmpty());
  EXPECT_THAT(Messages("bridge=vmbr1,tag=5,trunks=6;7,mtu=9000"), IsEmpty());
  EXPECT_THAT(Messages("bridge=blue"), IsEmpty());
  EXPECT_THAT(Messages("bridge=red,tag=5,mtu=1450"), IsEmpty());
  EXPECT_THAT(Messages("ip=manual"), IsEmpty());
}

TEST_F(VnetValidationTest, AMissingBridgeIsNamedWithTheNearest) {
  EXPECT_THAT(Messages("bridge=vmbr00"), ElementsAre(HasSubstr("vmbr00 is neither a bridge of this node nor a vnet")));
  EXPECT_THAT(Messages("bridge=vmbr00"), ElementsAre(HasSubstr("did you mean 'vmbr0'?")));
}

TEST_F(VnetValidationTest, WhatIsNoBridgeIsNamed) {
  EXPECT_THAT(Messages("bridge=eno1"), ElementsAre("eno1 is no bridge but a network card"));
}

TEST_F(VnetValidationTest, AVnetThatIsNotOnThisNodeIsTold) {
  EXPECT_THAT(Messages("bridge=green"), ElementsAre(HasSubstr("not on this node: is zone far for this node?")));
}

TEST_F(VnetValidationTest, TagAndTrunksNeedAVlanAwareVnetOrBridge) {
  EXPECT_THAT(Messages("bridge=blue,tag=5"), ElementsAre("tag=5: vnet blue is not VLAN-aware"));
  EXPECT_THAT(Messages("bridge=blue,trunks=5;6"), ElementsAre("trunks: vnet blue is not VLAN-aware"));
  EXPECT_THAT(Messages("bridge=vmbr0,trunks=5;6"), ElementsAre(HasSubstr("trunks need a VLAN-aware bridge, which vmbr0 is not")));
}

TEST_F(VnetValidationTest, AnMtuAboveTheZonesOrTheBridgesIsTold) {
  EXPECT_THAT(Messages("bridge=vmbr0,mtu=9000"), ElementsAre("mtu=9000 is above that of vmbr0, 1500"));
  EXPECT_THAT(Messages("bridge=red,mtu=1500"), ElementsAre("mtu=1500 is above that of zone z of vnet red, 1450"));
}

TEST_F(VnetValidationTest, ABridgeThatIsDownIsAWarning) {
  node_.Of("vmbr0").up = false;

  EXPECT_THAT(Messages("bridge=vmbr0"), ElementsAre("warning: vmbr0 is down"));
}

TEST_F(VnetValidationTest, NamesThatTheKernelCannotHaveAreTold) {
  node_.Bridge("averylongname0");

  EXPECT_THAT(Messages("bridge=averylongname0,tag=12"), ElementsAre(HasSubstr("averylongname0v12 cannot exist")));
  EXPECT_THAT(Messages("bridge=vmbr0", 999'999'999), IsEmpty());
}

}  // namespace
}  // namespace pvebus::container
