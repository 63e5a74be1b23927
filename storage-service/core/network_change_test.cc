#include "storage-service/core/network_change.h"

#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

// A storage at 10.1.0.9, reached by vmbr0.100 on vmbr0 on eno1.
StorageStatus Measured() {
  StorageStatus status{.storage = {.storage_id = "nas", .type = "nfs", .network = true, .endpoints = {{"10.1.0.9", 2049}}},
                       .state = StorageState::kActive};
  status.measurement.endpoints = {
      {.endpoint = {"10.1.0.9", 2049}, .address = "10.1.0.9", .interface = "vmbr0.100", .chain = {"vmbr0.100", "vmbr0", "eno1"}}};
  return status;
}

std::string Said(const StorageStatus& status, const std::vector<InterfaceChange>& changes) {
  const Impact impact = ImpactOn(status, changes);
  return (impact.touched ? "touched: " : "untouched: ") + impact.why;
}

TEST(NetworkChangeTest, AnInterfaceOfTheWayTouches) {
  EXPECT_EQ(Said(Measured(), {{.target = "vmbr1"}, {.target = "eno1"}}),
            "touched: rides on vmbr0.100 > vmbr0 > eno1: eno1 changed");
}

TEST(NetworkChangeTest, OtherInterfacesDoNot) {
  EXPECT_EQ(Said(Measured(), {{.target = "eno10"}, {.target = "vmbr"}, {.target = "vmbr0.1"}}),
            "untouched: its way (vmbr0.100 > vmbr0 > eno1) did not change");
  EXPECT_EQ(Said(Measured(), {}), "untouched: no interface changed");
}

TEST(NetworkChangeTest, PortOfABridgeThatChangedTouches) {
  EXPECT_EQ(Said(Measured(), {{.target = "vmbr9", .related = {"eno1"}}}),
            "touched: rides on vmbr0.100 > vmbr0 > eno1: vmbr9 changed, to which eno1 belongs");
}

TEST(NetworkChangeTest, VlanOfAnInterfaceThatChangedTouches) {
  StorageStatus status = Measured();
  status.measurement.endpoints[0].chain = {"bond0.5"};
  EXPECT_EQ(Said(status, {{.target = "bond0"}}), "touched: rides on bond0.5: bond0 changed, of which bond0.5 is a VLAN");
}

TEST(NetworkChangeTest, AnotherVlanOfTheSameParentDoesNot) {
  EXPECT_EQ(Said(Measured(), {{.target = "vmbr0.200", .related = {"vmbr0"}}}),
            "untouched: its way (vmbr0.100 > vmbr0 > eno1) did not change");
}

TEST(NetworkChangeTest, AddressWhoseSubnetHoldsTheServerTouches) {
  EXPECT_EQ(Said(Measured(), {{.target = "vmbr7", .addresses = {*ParseIpPrefix("10.2.0.1/24"), *ParseIpPrefix("10.1.0.1/16")}}}),
            "touched: vmbr7 changed, whose subnet 10.1.0.0/16 holds 10.1.0.9");
  EXPECT_FALSE(ImpactOn(Measured(), {{.target = "vmbr7", .addresses = {*ParseIpPrefix("10.2.0.1/24")}}}).touched);
}

TEST(NetworkChangeTest, GatewayTouchesOnlyWhatIsReachedThroughOne) {
  EXPECT_FALSE(ImpactOn(Measured(), {{.target = "vmbr7", .gateway = true}}).touched);
  StorageStatus status = Measured();
  status.measurement.endpoints[0].gateway = ParseIpAddress("10.0.0.1");
  EXPECT_EQ(Said(status, {{.target = "vmbr7", .gateway = true}}),
            "touched: 10.1.0.9 is reached through gateway 10.0.0.1, and vmbr7 changed, which has or had a gateway");
}

TEST(NetworkChangeTest, WhoseWayIsNotKnownIsTouched) {
  const std::vector<InterfaceChange> changes{{.target = "vmbr7"}};
  StorageStatus status = Measured();
  status.measurement.endpoints[0].interface = "";
  EXPECT_EQ(Said(status, changes), "touched: the way to 10.1.0.9 is not known: there was no route to it");
  status.measurement.endpoints[0].address = "";
  EXPECT_EQ(Said(status, changes), "touched: the way to 10.1.0.9 is not known: it was not resolved");
  status.measurement.endpoints.clear();
  EXPECT_EQ(Said(status, changes), "touched: its way is not known: it was not measured yet");
  status.storage.endpoints.clear();
  EXPECT_EQ(Said(status, changes), "touched: its way is not known: storage.cfg names no server of it");
}

TEST(NetworkChangeTest, LocalAndDisabledStoragesNeverAre) {
  const std::vector<InterfaceChange> changes{{.target = "eno1"}};
  StorageStatus status = Measured();
  status.state = StorageState::kDisabled;
  status.reason = "disabled in storage.cfg";
  EXPECT_EQ(Said(status, changes), "untouched: disabled in storage.cfg");
  EXPECT_EQ(Said({.storage = {.storage_id = "local", .type = "dir"}}, changes), "untouched: it is local");
}

}  // namespace
}  // namespace pvebus::storage
