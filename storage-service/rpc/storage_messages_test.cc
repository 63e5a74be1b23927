#include "storage-service/rpc/storage_messages.h"

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::StorageVlan Vlan() {
  v1::StorageVlan vlan;
  vlan.set_storage_id("nas");
  vlan.set_base("vmbr0");
  vlan.set_tag(20);
  vlan.set_address("10.1.0.5/24");
  vlan.set_mtu(9000);
  vlan.set_gateway("10.1.0.1");
  vlan.add_routed_subnets("10.2.0.0/16");
  vlan.set_isolated(true);
  return vlan;
}

struct Refusal {
  std::string reason;
  std::string field;
  std::string message;
};
Refusal RefusalOf(const v1::StorageVlan& vlan) {
  const absl::Status status = ParseStorageVlan(vlan).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return {ErrorReason(status), ErrorMetadata(status)["field"], std::string(status.message())};
}

TEST(StorageMessagesTest, VlanSurvivesTheWayInAndOut) {
  const auto parsed = ParseStorageVlan(Vlan());

  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(MessageDifferencer::Equals(ToProto(*parsed), Vlan()));
}

TEST(StorageMessagesTest, SubnetsOfAVlanAreSorted) {
  v1::StorageVlan vlan = Vlan();
  vlan.add_routed_subnets("10.0.0.0/16");

  EXPECT_THAT(ToProto(*ParseStorageVlan(vlan)).routed_subnets(), ElementsAre("10.0.0.0/16", "10.2.0.0/16"));
}

TEST(StorageMessagesTest, TagThatWouldNotFitIsRefusedWithItsLimit) {
  for (const uint32_t tag : {0u, 4095u, 65536u + 20u}) {
    v1::StorageVlan vlan = Vlan();
    vlan.set_tag(tag);

    const Refusal refusal = RefusalOf(vlan);

    EXPECT_EQ(refusal.reason, "TAG_INVALID");
    EXPECT_EQ(refusal.field, "tag");
    EXPECT_THAT(refusal.message, HasSubstr("1..4094"));
  }
}

TEST(StorageMessagesTest, AddressesThatAreNoneAreRefusedWithTheirField) {
  v1::StorageVlan address = Vlan();
  address.set_address("10.1.0.5");
  v1::StorageVlan gateway = Vlan();
  gateway.set_gateway("10.1.0.1/24");
  v1::StorageVlan subnet = Vlan();
  subnet.add_routed_subnets("everywhere");

  EXPECT_EQ(RefusalOf(address).reason, "ADDRESS_INVALID");
  EXPECT_EQ(RefusalOf(address).field, "address");
  EXPECT_EQ(RefusalOf(gateway).reason, "GATEWAY_INVALID");
  EXPECT_EQ(RefusalOf(gateway).field, "gateway");
  EXPECT_EQ(RefusalOf(subnet).reason, "ROUTE_INVALID");
  EXPECT_EQ(RefusalOf(subnet).field, "routed_subnets[1]");
}

TEST(StorageMessagesTest, WhatWouldNotMakeAVlanIsRefused) {
  v1::StorageVlan vlan = Vlan();
  vlan.set_address("10.1.0.0/24");

  EXPECT_EQ(RefusalOf(vlan).reason, "ADDRESS_INVALID");
}

TEST(StorageMessagesTest, BytesOfStorageCfgThatAreNoUtf8AreReplaced) {
  StorageStatus status;
  status.storage.storage_id = "nas";
  status.storage.type = "nfs";
  status.storage.contents = {"im\xff"};
  status.storage.nodes = {{"pve\xff"}};
  status.reason = "\xff";
  status.measurement.mount_point = "/mnt/\xff";
  status.measurement.endpoints = {{.endpoint = {.host = "\xff"}, .message = "\xff", .interface = "\xff", .chain = {"\xff"}}};

  const v1::Storage storage = ToProto(status);

  EXPECT_TRUE(storage.IsInitialized());
  EXPECT_THAT(storage.contents(), ElementsAre("im?"));
  EXPECT_THAT(storage.nodes(), ElementsAre("pve?"));
  EXPECT_EQ(storage.mount_point(), "/mnt/?");
  EXPECT_EQ(storage.endpoints(0).host(), "?");
  EXPECT_THAT(storage.endpoints(0).chain(), ElementsAre("?"));
}

TEST(StorageMessagesTest, CheckedStorageTellsWhatWasMeasured) {
  StorageStatus status;
  status.storage = {.storage_id = "nas", .type = "nfs", .network = true, .shared = true, .contents = {"images"}};
  status.state = StorageState::kError;
  status.reason = "10.0.0.9:2049 timed out";
  status.measurement.mounted = false;
  status.measurement.check_time = SystemTime(std::chrono::seconds(1'700'000'000));
  status.measurement.duration = std::chrono::milliseconds(12);
  status.measurement.endpoints = {{.endpoint = {.host = "nas.lan", .port = 2049},
                                   .reachability = Reachability::kTimedOut,
                                   .address = "10.0.0.9",
                                   .port = 2049,
                                   .message = "timed out",
                                   .interface = "vmbr0.20",
                                   .gateway = ParseIpAddress("10.0.0.1"),
                                   .tag = 20,
                                   .chain = {"vmbr0.20", "vmbr0"},
                                   .link_message = "vmbr0 is down"}};

  const v1::Storage storage = ToProto(status);

  EXPECT_EQ(storage.state(), v1::STORAGE_STATE_ERROR);
  EXPECT_TRUE(storage.has_mounted());
  EXPECT_FALSE(storage.has_logged_in());
  EXPECT_EQ(storage.check_time().seconds(), 1'700'000'000);
  EXPECT_EQ(storage.check_duration().nanos(), 12'000'000);
  const v1::EndpointStatus& endpoint = storage.endpoints(0);
  EXPECT_EQ(endpoint.reachability(), v1::REACHABILITY_TIMED_OUT);
  EXPECT_FALSE(endpoint.has_latency());
  EXPECT_EQ(endpoint.message(), "timed out; vmbr0 is down");
  EXPECT_EQ(endpoint.gateway(), "10.0.0.1");
  EXPECT_EQ(endpoint.vlan_tag(), 20u);
}

TEST(StorageMessagesTest, StorageThatWasNotCheckedYetHasItsServersAndNoTimes) {
  StorageStatus status;
  status.storage = {.storage_id = "nas", .endpoints = {{.host = "10.0.0.9", .port = 2049}}};

  const v1::Storage storage = ToProto(status);

  EXPECT_EQ(storage.state(), v1::STORAGE_STATE_UNKNOWN);
  EXPECT_FALSE(storage.has_check_time());
  EXPECT_FALSE(storage.has_mounted());
  ASSERT_EQ(storage.endpoints_size(), 1);
  EXPECT_EQ(storage.endpoints(0).host(), "10.0.0.9");
  EXPECT_EQ(storage.endpoints(0).port(), 2049u);
  EXPECT_EQ(storage.endpoints(0).reachability(), v1::REACHABILITY_UNKNOWN);
}

TEST(StorageMessagesTest, FailedVlanTellsWhyForProgramsToo) {
  const v1::StorageVlanReport report = ToProto(
      VlanReport{.storage_id = "nas",
                 .link = "vmbr0.20",
                 .outcome = VlanReport::Outcome::kFailed,
                 .message = "vmbr0 is missing",
                 .status = MakeError(absl::StatusCode::kNotFound, "BASE_MISSING", "vmbr0 is missing", {{"base", "vmbr0"}})});

  EXPECT_EQ(report.state(), bus::v1::HOOK_STATE_FAILED);
  EXPECT_EQ(report.error().code(), 5);
  EXPECT_EQ(report.error().reason(), "BASE_MISSING");
  EXPECT_EQ(report.error().metadata().at("base"), "vmbr0");
  EXPECT_FALSE(report.error().retryable());
}

TEST(StorageMessagesTest, VlanWhoseLinkWasThereBeforeIsAdopted) {
  VlanStatus status;
  status.record.vlan = *ParseStorageVlan(Vlan());
  status.in_order = true;

  EXPECT_FALSE(ToProto(status).adopted());
  status.adopted = true;
  EXPECT_TRUE(ToProto(status).adopted());
  EXPECT_EQ(ToProto(status).link(), "vmbr0.20");
}

}  // namespace
}  // namespace pvebus::storage
