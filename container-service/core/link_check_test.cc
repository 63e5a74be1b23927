#include "container-service/core/link_check.h"

#include "container-service/core/testing/node_links.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The messages of a container with this net0.
std::vector<std::string> Messages(const std::string& net0, const NodeLinks& node, const Vnets& vnets = {}) {
  std::vector<std::string> messages;
  for (const CheckedLink& link : CheckLinks(ParseContainerConfig("net0: " + net0 + "\n", 101, vnets), node.network)) {
    EXPECT_EQ(link.interface, "net0");
    for (const NetworkFinding& finding : link.findings)
      messages.push_back((finding.warning ? "warning: " : "") + finding.message);
  }
  return messages;
}

class LinkCheckTest : public ::testing::Test {
 protected:
  NodeLinks node_;
};

TEST_F(LinkCheckTest, WhatIsAsTheFileSaysHasNoFindings) {
  node_.Bridge("vmbr0").Veth("veth101i0", "vmbr0");

  const auto checked = CheckLinks(ParseContainerConfig("net0: name=eth0,bridge=vmbr0\n", 101, {}), node_.network);

  ASSERT_EQ(checked.size(), 1);
  EXPECT_THAT(checked[0].findings, IsEmpty());
  EXPECT_EQ(checked[0].found, "veth101i0 is up, in vmbr0, MTU 1500");
}

TEST_F(LinkCheckTest, MissingDevicesAreNamed) {
  node_.Bridge("vmbr0");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), ElementsAre("veth101i0 is missing"));

  node_.FirewalledVeth("101", "0", "vmbr0");
  node_.Remove("fwln101i0");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,firewall=1", node_), ElementsAre("fwln101i0 is missing"));
  node_.Remove("fwbr101i0");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,firewall=1", node_), ElementsAre("fwbr101i0 is missing"));
  node_.Remove("vmbr0");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,firewall=1", node_), ElementsAre("vmbr0, where the file puts it, is missing"));
}

TEST_F(LinkCheckTest, DownIsWrongUnlessTheFileAsksForItAndUpThen) {
  node_.Bridge("vmbr0").Veth("veth101i0", "vmbr0");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,link_down=1", node_), ElementsAre("veth101i0 is up; the file has link_down=1"));

  node_.Of("veth101i0").up = false;
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,link_down=1", node_), IsEmpty());
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), ElementsAre("veth101i0 is down; the file has no link_down"));
}

TEST_F(LinkCheckTest, TheWrongBridgeIsNamedWithTheRightOne) {
  node_.Bridge("vmbr0").Bridge("vmbr1").Veth("veth101i0", "vmbr1");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), ElementsAre("veth101i0 is in vmbr1; it belongs in vmbr0"));
  EXPECT_THAT(Messages("name=eth0", node_), ElementsAre("veth101i0 is in vmbr1; the file has no bridge"));

  node_.Of("veth101i0").master_index = 0;
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), ElementsAre("veth101i0 is in no bridge; it belongs in vmbr0"));
  EXPECT_THAT(Messages("name=eth0", node_), IsEmpty());
}

TEST_F(LinkCheckTest, EachStepThroughTheFirewallIsChecked) {
  node_.Bridge("vmbr0").Bridge("vmbr1").FirewalledVeth("101", "0", "vmbr0");
  const char kNet[] = "name=eth0,bridge=vmbr0,firewall=1";
  EXPECT_THAT(Messages(kNet, node_), IsEmpty());

  node_.Of("fwpr101p0").master_index = node_.IndexOf("vmbr1");
  EXPECT_THAT(Messages(kNet, node_), ElementsAre("fwpr101p0 is in vmbr1; it belongs in vmbr0"));
  node_.Of("fwpr101p0").master_index = node_.IndexOf("vmbr0");
  node_.Of("fwln101i0").up = false;
  EXPECT_THAT(Messages(kNet, node_), ElementsAre("fwln101i0 is down"));
  node_.Of("fwln101i0").up = true;
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr0");
  EXPECT_THAT(Messages(kNet, node_), ElementsAre("veth101i0 is in vmbr0; it belongs in fwbr101i0"));
}

TEST_F(LinkCheckTest, AVlanOfABridgeThatIsNotVlanAwareHasABridgeOfItsOwn) {
  node_.Bridge("vmbr0").Bridge("vmbr0v5").Bridge("vmbr1", /*vlan_aware=*/true).Veth("veth101i0", "vmbr0v5");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,tag=5", node_), IsEmpty());
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr1,tag=5", node_), ElementsAre("veth101i0 is in vmbr0v5; it belongs in vmbr1"));
}

TEST_F(LinkCheckTest, AVnetIsABridgeToo) {
  node_.Bridge("blue").Veth("veth101i0", "blue");

  EXPECT_THAT(Messages("name=eth0,bridge=blue", node_, {{"blue", {}}}), IsEmpty());
}

TEST_F(LinkCheckTest, TheMtuIsTheFilesAndNotAboveTheBridges) {
  node_.Bridge("vmbr0").Veth("veth101i0", "vmbr0");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0,mtu=1400", node_), ElementsAre("veth101i0 has MTU 1500; the file has mtu=1400"));

  node_.Of("veth101i0").mtu = 9000;
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_),
              ElementsAre(HasSubstr("warning: veth101i0 has MTU 9000, above that of vmbr0")));
}

TEST_F(LinkCheckTest, OfOpenVSwitchTheKernelTellsOnlyThatItIsInSome) {
  node_.Add("ovs-system", "openvswitch");
  node_.Add("vmbr0", "openvswitch");
  node_.Veth("veth101i0", "ovs-system");
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), IsEmpty());

  node_.Of("veth101i0").master_index = 0;
  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), ElementsAre("veth101i0 is not in vmbr0"));
}

TEST_F(LinkCheckTest, WhatHasTheNameAndIsNoVethIsWrong) {
  node_.Bridge("vmbr0").Veth("veth101i0", "vmbr0");
  node_.Of("veth101i0").kind = "dummy";

  EXPECT_THAT(Messages("name=eth0,bridge=vmbr0", node_), ElementsAre("veth101i0 is a link of kind 'dummy', no veth"));
}

}  // namespace
}  // namespace pvebus::container
