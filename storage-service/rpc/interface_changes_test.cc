#include "storage-service/rpc/interface_changes.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

InterfaceChange Read(const std::string& old_config, const std::string& new_config, const std::string& target = "vmbr0") {
  event::v1::NetworkApplied applied;
  event::v1::ConfigChange& change = *applied.add_changes();
  change.set_target(target);
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(old_config, change.mutable_old_config()).ok());
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(new_config, change.mutable_new_config()).ok());
  const auto changes = InterfaceChangesOf(applied);
  return changes.size() == 1 ? changes[0] : InterfaceChange{};
}

std::vector<std::string> Addresses(const InterfaceChange& change) {
  std::vector<std::string> texts;
  for (const IpPrefix& address : change.addresses) texts.push_back(address.ToString());
  return texts;
}

TEST(InterfaceChangesTest, BeforeAndAfterAreTakenTogether) {
  const InterfaceChange change = Read(
      R"({"name":"vmbr0","iface_type":{"Bridge":{"ports":["eno1"],"vlan_aware":false}},
          "addresses":[{"addr":"192.168.10.11","prefix_len":24}],"gateway":null})",
      R"({"name":"vmbr0","iface_type":{"Bridge":{"ports":["eno1","eno2"],"vlan_aware":true}},
          "addresses":[{"addr":"192.168.10.11","prefix_len":24},{"addr":"fd00::1","prefix_len":64}],"gateway6":"fd00::ff"})");

  EXPECT_EQ(change.target, "vmbr0");
  EXPECT_THAT(change.related, ElementsAre("eno1", "eno2"));
  EXPECT_THAT(Addresses(change), ElementsAre("192.168.10.11/24", "fd00::1/64"));
  EXPECT_TRUE(change.gateway);
}

TEST(InterfaceChangesTest, SlavesAndParentAreRelated) {
  EXPECT_THAT(Read(R"({"iface_type":{"Bond":{"slaves":["eno1","eno2"],"mode":"802.3ad","options":{}}}})", "null").related,
              ElementsAre("eno1", "eno2"));
  EXPECT_THAT(Read("null", R"({"iface_type":{"Vlan":{"parent":"eno3","tag":20}}})").related, ElementsAre("eno3"));
}

TEST(InterfaceChangesTest, AnotherNameThanTheTargetIsRelated) {
  EXPECT_THAT(Read(R"({"name":"storage0"})", R"({"name":"vmbr0"})").related, ElementsAre("storage0"));
}

TEST(InterfaceChangesTest, PlainAddressesWithALengthAreTaken) {
  EXPECT_THAT(Addresses(Read("null", R"({"addresses":["10.0.0.1/8","10.0.0.1",{"addr":"10.1.0.1/16"}]})")),
              ElementsAre("10.0.0.1/8", "10.1.0.1/16"));
}

TEST(InterfaceChangesTest, WhatHasAnotherTypeSaysNothing) {
  for (const char* config :
       {"null", "7", "\"eno1\"", "[1,2]", R"({"iface_type":"Physical"})", R"({"iface_type":{"Bridge":7}})",
        R"({"iface_type":{"Bridge":{"ports":"eno1"}}})", R"({"iface_type":{"Bond":{"slaves":[1,null,{}]}}})",
        R"({"iface_type":{"Vlan":{"parent":5}}})", R"({"addresses":"10.0.0.1"})", R"({"addresses":[null,5,[],{}]})",
        R"({"addresses":[{"addr":"10.0.0.1","prefix_len":33}]})", R"({"addresses":[{"addr":"10.0.0.1","prefix_len":-1}]})",
        R"({"addresses":[{"addr":"10.0.0.1","prefix_len":"x"}]})", R"({"addresses":[{"addr":"10.0.0.1","prefix_len":1e300}]})",
        R"({"gateway":false,"gateway6":{}})", R"({"name":12})"}) {
    const InterfaceChange change = Read(config, config);

    EXPECT_THAT(change.related, IsEmpty()) << config;
    EXPECT_THAT(change.addresses, IsEmpty()) << config;
    EXPECT_FALSE(change.gateway) << config;
  }
}

}  // namespace
}  // namespace pvebus::storage
