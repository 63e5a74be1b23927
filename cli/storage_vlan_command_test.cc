#include "cli/testing/storage_fixture.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using storage::v1::CreateStorageVlanRequest;
using storage::v1::CreateStorageVlanResponse;
using storage::v1::DeleteStorageVlanRequest;
using storage::v1::DeleteStorageVlanResponse;
using storage::v1::ListStorageVlansRequest;
using storage::v1::ListStorageVlansResponse;
using storage::v1::ReconcileStorageVlansRequest;
using storage::v1::ReconcileStorageVlansResponse;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kChanged[] = R"(
  storage_id: "nas" link: "vmbr0.100" state: HOOK_STATE_CHANGED before: "missing" after: "10.1.0.5/24 mtu 9000"
  message: "created vmbr0.100, added 10.1.0.5/24" link_created: true)";
constexpr char kUnchanged[] = R"(
  storage_id: "san" link: "eno2.7" state: HOOK_STATE_UNCHANGED before: "fd00:7::5/64" after: "fd00:7::5/64" message: "in order")";
constexpr char kFailed[] = R"(
  storage_id: "old" link: "vmbr9.3" state: HOOK_STATE_FAILED before: "missing" message: "there is no interface vmbr9"
  error { code: 5 reason: "BASE_MISSING" message: "there is no interface vmbr9" })";

std::string Report(const char* report) { return std::string("report {") + report + "}"; }
std::string Reports(const std::vector<const char*>& reports) {
  std::string text;
  for (const char* report : reports) text += std::string("reports {") + report + "}";
  return text;
}

// VLANs of storages: made, taken away, listed, put right.
class StorageVlanCommandTest : public StorageFixture {
 protected:
  CreateStorageVlanRequest Created() { return service_.Asked<CreateStorageVlanRequest>("CreateStorageVlan").at(0); }
};

TEST_F(StorageVlanCommandTest, CreateSendsTheWholeDefinitionAndSaysWhatWasDone) {
  service_.Answer("CreateStorageVlan", FromText<CreateStorageVlanResponse>(Report(kChanged)));

  const RunOutcome run =
      Storage({"vlan", "create", "nas", "--base", "vmbr0", "--tag", "100", "--address", "10.1.0.5/24", "--mtu", "9000",
               "--gateway", "10.1.0.1", "--route", "10.2.0.0/16,10.3.0.0/16", "--route", "10.4.0.0/16", "--isolate"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out,
            "STORAGE  LINK       STATE    DETAIL\n"
            "nas      vmbr0.100  CHANGED  missing -> 10.1.0.5/24 mtu 9000: created vmbr0.100, added 10.1.0.5/24\n");
  const storage::v1::StorageVlan vlan = Created().vlan();
  EXPECT_EQ(vlan.storage_id(), "nas");
  EXPECT_EQ(vlan.base(), "vmbr0");
  EXPECT_EQ(vlan.tag(), 100u);
  EXPECT_EQ(vlan.address(), "10.1.0.5/24");
  EXPECT_EQ(vlan.mtu(), 9000u);
  EXPECT_EQ(vlan.gateway(), "10.1.0.1");
  EXPECT_THAT(vlan.routed_subnets(), ElementsAre("10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"));
  EXPECT_TRUE(vlan.isolated());
  EXPECT_FALSE(Created().validate_only());
}

TEST_F(StorageVlanCommandTest, WhatIsNotSaidIsLeftToTheService) {
  service_.Answer("CreateStorageVlan", FromText<CreateStorageVlanResponse>(Report(kUnchanged)));

  const RunOutcome run = Storage(
      {"vlan", "create", "san", "--base", "eno2", "--tag", "7", "--address", "fd00:7::5/64", "--dry-run", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(FromJson<CreateStorageVlanResponse>(run.out).report().link(), "eno2.7");
  EXPECT_EQ(Created().SerializeAsString(), FromText<CreateStorageVlanRequest>(R"(
    vlan { storage_id: "san" base: "eno2" tag: 7 address: "fd00:7::5/64" } validate_only: true)")
                                               .SerializeAsString());
}

TEST_F(StorageVlanCommandTest, ARefusalNamesBothSidesAndWhatToDo) {
  service_.Answer("CreateStorageVlan", {},
                  ToGrpcStatus(MakeError(absl::StatusCode::kFailedPrecondition, "VLAN_CONFLICT",
                                         "vmbr0.100 is a VLAN with tag 200 on eno1, not with tag 100 on vmbr0",
                                         {{"link", "vmbr0.100"}, {"found_base", "eno1"}, {"index", "12"}})));

  const RunOutcome run = Storage({"vlan", "create", "nas", "--base", "vmbr0", "--tag", "100", "--address", "10.1.0.5/24"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "pvebus: refused: FAILED_PRECONDITION VLAN_CONFLICT: vmbr0.100 is a VLAN with tag 200 on eno1, not with tag 100 on "
            "vmbr0\n"
            "  index: 12\n"
            "  next: choose another --base or --tag, or remove the link that is in the way "
            "(`ip -d link show`)\n");
}

TEST_F(StorageVlanCommandTest, EveryReasonOfTheContractHasAdvice) {
  for (const char* reason : {"VLAN_EXISTS", "VLAN_NOT_FOUND", "BASE_MISSING", "VLAN_CONFLICT", "MTU_EXCEEDS_BASE",
                             "NET_ADMIN_MISSING", "KERNEL_SUPPORT_MISSING", "LINK_NAME_TOO_LONG"}) {
    service_.Answer("DeleteStorageVlan", {}, ToGrpcStatus(MakeError(absl::StatusCode::kFailedPrecondition, reason, "why")));

    EXPECT_THAT(Storage({"vlan", "delete", "nas"}).err, HasSubstr("  next: ")) << reason;
  }
}

TEST_F(StorageVlanCommandTest, DeleteSaysWhatWasTakenAway) {
  service_.Answer("DeleteStorageVlan", FromText<DeleteStorageVlanResponse>(
                                           R"(report { storage_id: "nas" link: "vmbr0.100" state: HOOK_STATE_DRY_RUN
                                              before: "10.1.0.5/24" after: "missing" message: "would delete vmbr0.100" })"));

  const RunOutcome run = Storage({"vlan", "delete", "nas", "--dry-run"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, HasSubstr("nas      vmbr0.100  DRY_RUN  10.1.0.5/24 -> missing: would delete vmbr0.100\n"));
  const auto asked = service_.Asked<DeleteStorageVlanRequest>("DeleteStorageVlan");
  EXPECT_EQ(asked.at(0).storage_id(), "nas");
  EXPECT_TRUE(asked.at(0).validate_only());
}

TEST_F(StorageVlanCommandTest, TheListSaysHowTheKernelDiffers) {
  service_.Answer("ListStorageVlans", FromText<ListStorageVlansResponse>(R"(next_page_token: "more" vlans {
    vlan { storage_id: "nas" base: "vmbr0" tag: 100 address: "10.1.0.5/24" gateway: "10.1.0.1" routed_subnets: "10.2.0.0/16"
           isolated: true }
    link: "vmbr0.100" findings: "the link is missing" contested: true })"));
  const auto last = FromText<ListStorageVlansResponse>(R"(
    vlans { vlan { storage_id: "san" base: "eno2" tag: 7 address: "fd00:7::5/64" mtu: 9000 } link: "eno2.7" in_order: true
            adopted: true }
    vlans { vlan { storage_id: "tank" base: "eno3" tag: 8 address: "10.8.0.5/24" } link: "eno3.8" findings: "it is down" })");
  service_.AnswerThen("ListStorageVlans", last);

  const RunOutcome run = Storage({"vlan", "list"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(
      run.out,
      AllOf(
          HasSubstr("nas      vmbr0.100  100  10.1.0.5/24   of base  10.2.0.0/16 via 10.1.0.1  yes       CONTESTED  the link is "
                    "missing; somebody keeps deleting it\n"),
          HasSubstr("san      eno2.7     7    fd00:7::5/64  9000                               no        IN_ORDER   was there "
                    "before, and stays when it is deleted here\n"),
          HasSubstr("DIFFERS    it is down\n")));
  EXPECT_EQ(service_.Asked<ListStorageVlansRequest>("ListStorageVlans").at(1).page_token(), "more");
  EXPECT_EQ(FromJson<ListStorageVlansResponse>(Storage({"vlan", "list", "--output", "json"}).out).vlans_size(), 2);
}

TEST_F(StorageVlanCommandTest, ReconcileFailsWhenOneReportDoes) {
  service_.Answer("ReconcileStorageVlans",
                  FromText<ReconcileStorageVlansResponse>(Reports({kChanged, kFailed, kFailed, kUnchanged})));

  const RunOutcome run = Storage({"reconcile"});
  const RunOutcome json = Storage({"reconcile", "nas", "--dry-run", "--output", "json"});

  EXPECT_EQ(run.exit_code, kListenerFailed);
  EXPECT_THAT(run.out, AllOf(HasSubstr("CHANGED    missing -> 10.1.0.5/24 mtu 9000: created"),
                             HasSubstr("FAILED     missing: NOT_FOUND BASE_MISSING: there is no interface vmbr9\n"),
                             HasSubstr("UNCHANGED  fd00:7::5/64: in order\n")));
  EXPECT_EQ(run.err, "next: `ip link` shows the interfaces there are\n") << "once per reason";
  EXPECT_EQ(json.exit_code, kListenerFailed);
  EXPECT_EQ(FromJson<ReconcileStorageVlansResponse>(json.out).reports_size(), 4);
  const auto asked = service_.Asked<ReconcileStorageVlansRequest>("ReconcileStorageVlans");
  EXPECT_EQ(asked.at(0).SerializeAsString(), "");
  EXPECT_EQ(asked.at(1).storage_id(), "nas");
  EXPECT_TRUE(asked.at(1).validate_only());
}

TEST_F(StorageVlanCommandTest, ReconcileSucceedsWhenAllAreInOrderOrThereIsNone) {
  service_.Answer("ReconcileStorageVlans", FromText<ReconcileStorageVlansResponse>(Reports({kChanged, kUnchanged})));
  EXPECT_EQ(Storage({"reconcile"}).exit_code, kAllSucceeded);

  service_.Answer("ReconcileStorageVlans", ReconcileStorageVlansResponse());
  service_.Answer("ListStorageVlans", ListStorageVlansResponse());
  EXPECT_EQ(Storage({"reconcile"}).out, "no VLANs\n");
  EXPECT_EQ(Storage({"vlan", "list"}).out, "no VLANs\n");
}

}  // namespace
}  // namespace pvebus::cli
