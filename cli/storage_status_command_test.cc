#include <cstdlib>

#include "cli/testing/storage_fixture.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using storage::v1::GetStorageStatusRequest;
using storage::v1::GetStorageStatusResponse;
using storage::v1::ListStoragesRequest;
using storage::v1::ListStoragesResponse;
using storage::v1::RefreshStorageStatusRequest;
using storage::v1::RefreshStorageStatusResponse;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kNas[] = R"(
  storage_id: "nas" type: "nfs" network: true enabled: true shared: true contents: "images" contents: "iso" nodes: "pve1"
  state: STORAGE_STATE_ERROR reason: "no server answers: 10.1.0.9 timed out"
  endpoints { host: "10.1.0.9" port: 2049 reachability: REACHABILITY_TIMED_OUT address: "10.1.0.9" interface: "vmbr0.100"
              vlan_tag: 100 gateway: "10.1.0.1" chain: "vmbr0.100" chain: "vmbr0" chain: "eno1"
              message: "nothing came back within 5s" }
  mounted: false mount_point: "/mnt/pve/nas" check_time { seconds: 1795435200 } check_duration { seconds: 5 })";
constexpr char kSan[] = R"(
  storage_id: "san" type: "iscsi" network: true enabled: true state: STORAGE_STATE_ACTIVE logged_in: true
  endpoints { host: "fd00::9" port: 3260 reachability: REACHABILITY_REACHABLE address: "fd00::9" latency { nanos: 2500000 }
              interface: "eno2" link_up: true chain: "eno2" }
  endpoints { host: "san2" port: 3260 reachability: REACHABILITY_REACHABLE address: "fd00::a" latency { nanos: 7500000 }
              interface: "eno2" link_up: true chain: "eno2" })";

// How storages stand: the list, one of them, a check now.
class StorageStatusCommandTest : public StorageFixture {
 protected:
  void AnswerStatus(const std::string& storage) {
    service_.Answer("GetStorageStatus", FromText<GetStorageStatusResponse>("storage { " + storage + " }"));
  }
  void AnswerRefresh(const std::vector<std::string>& refreshed) {
    std::string text;
    for (const std::string& one : refreshed) text += "refreshed { storage { " + one + " } state_before: STORAGE_STATE_ACTIVE }";
    service_.Answer("RefreshStorageStatus", FromText<RefreshStorageStatusResponse>(text));
  }
};

TEST_F(StorageStatusCommandTest, TheListHasARowPerStorageAndWarningsBeside) {
  service_.Answer("ListStorages",
                  FromText<ListStoragesResponse>(
                      std::string("storages {") + kNas + "} storages {" + kSan + "} " +
                      R"(warnings { line: 7 storage_id: "old" message: "there is no type 'nsf'" section_skipped: true }
                                         config_error: "/etc/pve/storage.cfg: Permission denied")"));

  const RunOutcome run = Storage({"list"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("STORAGE  TYPE   STATE   VIA                         CHECKED"),
                             HasSubstr("nas      nfs    ERROR   vmbr0.100 (vlan 100, down)"), HasSubstr(" ago"),
                             HasSubstr("no server answers: 10.1.0.9 timed out\n"),
                             HasSubstr("san      iscsi  ACTIVE  eno2                        -"), HasSubstr("7.5ms\n")));
  EXPECT_EQ(run.err,
            "storage.cfg:7: warning: storage 'old': there is no type 'nsf'\n"
            "pvebus: storage.cfg cannot be read, what it said last is in force: /etc/pve/storage.cfg: Permission denied\n");
}

TEST_F(StorageStatusCommandTest, AllPagesAreOneDocumentWithItsWarnings) {
  service_.Answer("ListStorages", FromText<ListStoragesResponse>(std::string("storages {") + kNas + R"(} next_page_token: "more"
                                                                   warnings { line: 7 message: "m" } config_error: "e")"));
  service_.AnswerThen("ListStorages", FromText<ListStoragesResponse>(std::string("storages {") + kSan + "}"));

  const RunOutcome run = Storage({"list", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.err, "");
  const auto all = FromJson<ListStoragesResponse>(run.out);
  EXPECT_EQ(all.storages_size(), 2);
  EXPECT_EQ(all.warnings_size(), 1);
  EXPECT_EQ(all.config_error(), "e");
  EXPECT_EQ(all.next_page_token(), "");
  const auto asked = service_.Asked<ListStoragesRequest>("ListStorages");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].page_size(), 1000);
  EXPECT_EQ(asked[1].page_token(), "more");
}

TEST_F(StorageStatusCommandTest, APageThatComesAgainIsNotTheBussFault) {
  service_.Answer("ListStorages", FromText<ListStoragesResponse>(R"(next_page_token: "again")"));

  const RunOutcome run = Storage({"list"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, HasSubstr("storage-service gave out the same page again"));
}

TEST_F(StorageStatusCommandTest, NoStoragesAreSaid) {
  service_.Answer("ListStorages", ListStoragesResponse());
  EXPECT_EQ(Storage({"list"}).out, "no storages\n");
}

TEST_F(StorageStatusCommandTest, OneStorageIsToldInFull) {
  AnswerStatus(kNas);

  const RunOutcome run = Storage({"status", "nas"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("type             nfs, network, shared\n"),
                             HasSubstr("state            ERROR: no server answers: 10.1.0.9 timed out\n"),
                             HasSubstr("nodes            pve1\n"), HasSubstr("holds            images, iso\n"),
                             HasSubstr("mounted          no; it would be at /mnt/pve/nas\n"), HasSubstr("took 5.0s\n"),
                             HasSubstr("10.1.0.9:2049  TIMED_OUT  -        vmbr0.100 (vlan 100, down)  10.1.0.1  vmbr0, eno1  "
                                       "nothing came back within 5s\n")));
  EXPECT_THAT(run.out, Not(HasSubstr("logged in")));
  EXPECT_EQ(service_.Asked<GetStorageStatusRequest>("GetStorageStatus").at(0).storage_id(), "nas");
}

TEST_F(StorageStatusCommandTest, AStorageThatWasNotCheckedSaysHowToCheckIt) {
  AnswerStatus(kSan);

  const RunOutcome run = Storage({"status", "san"});

  EXPECT_THAT(run.out, AllOf(HasSubstr("checked          not yet: pvebus storage status san --refresh\n"),
                             HasSubstr("logged in        yes\n"), HasSubstr("[fd00::9]:3260"), HasSubstr("san2:3260"),
                             HasSubstr("fd00::a")));
  EXPECT_THAT(run.out, Not(HasSubstr("mounted")));
}

TEST_F(StorageStatusCommandTest, ACheckSaysWhatAStorageWasBefore) {
  AnswerRefresh({kNas});

  const RunOutcome one = Storage({"status", "nas", "--refresh"});
  const RunOutcome json = Storage({"status", "nas", "--refresh", "--output", "json"});

  EXPECT_EQ(one.exit_code, kAllSucceeded) << one.err;
  EXPECT_THAT(one.out, HasSubstr("state            ERROR (was ACTIVE): no server answers"));
  EXPECT_EQ(FromJson<RefreshStorageStatusResponse>(json.out).refreshed_size(), 1);
  EXPECT_THAT(service_.Asked<RefreshStorageStatusRequest>("RefreshStorageStatus").at(0).storage_ids(), ElementsAre("nas"));
}

TEST_F(StorageStatusCommandTest, AllAreCheckedWhenNoneIsNamed) {
  AnswerRefresh({kNas, kSan});

  const RunOutcome run = Storage({"status", "--refresh"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("nas      nfs    ERROR (was ACTIVE)"), HasSubstr("san      iscsi  ACTIVE   ")));
  EXPECT_EQ(service_.Asked<RefreshStorageStatusRequest>("RefreshStorageStatus").at(0).storage_ids_size(), 0);
}

TEST_F(StorageStatusCommandTest, OnlyACheckForMonitoringFailsOnAState) {
  const std::pair<const char*, int> cases[] = {{"STORAGE_STATE_ACTIVE", 0},
                                               {"STORAGE_STATE_DISABLED", 0},
                                               {"STORAGE_STATE_INACTIVE", 1},
                                               {"STORAGE_STATE_ERROR", 1},
                                               {"STORAGE_STATE_UNKNOWN", 1}};
  for (const auto& [state, exit_code] : cases) {
    const std::string storage = std::string("storage_id: \"nas\" state: ") + state;
    AnswerStatus(storage);
    AnswerRefresh({kSan, storage});

    EXPECT_EQ(Storage({"status", "nas"}).exit_code, 0) << state;
    EXPECT_EQ(Storage({"status", "nas", "--check"}).exit_code, exit_code) << state;
    EXPECT_EQ(Storage({"status", "--refresh"}).exit_code, 0) << state;
    EXPECT_EQ(Storage({"status", "--refresh", "--check", "--output", "json"}).exit_code, exit_code) << state;
  }
}

TEST_F(StorageStatusCommandTest, AnUnknownStorageIsRefusedWithWhereToLook) {
  service_.Answer("GetStorageStatus", {},
                  ToGrpcStatus(MakeError(absl::StatusCode::kNotFound, "STORAGE_NOT_FOUND", "there is no storage 'nsa'")));

  const RunOutcome run = Storage({"status", "nsa"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("refused: NOT_FOUND STORAGE_NOT_FOUND: there is no storage 'nsa'"),
                             HasSubstr("next: `pvebus storage list`")));
}

TEST_F(StorageStatusCommandTest, AnOlderServiceIsAskedAboutByItsName) {
  const RunOutcome run = Storage({"list"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, HasSubstr("is it storage-service, and as new as this program?"));
}

TEST_F(StorageStatusCommandTest, TheAddressMayComeFromTheEnvironment) {
  service_.Answer("ListStorages", ListStoragesResponse());
  setenv("PVEBUS_STORAGE", service_.address().c_str(), 1);  // NOLINT(concurrency-mt-unsafe): the test is alone
  const RunOutcome run = RunInTest({"storage", "list"});
  unsetenv("PVEBUS_STORAGE");  // NOLINT(concurrency-mt-unsafe)

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
}

TEST_F(StorageStatusCommandTest, WhatAServiceSaysIsHarmlessOnATerminal) {
  AnswerStatus(
      R"(storage_id: "nas" state: STORAGE_STATE_ERROR reason: "\033[31mred" endpoints { host: "a" message: "\033[2J" })");

  EXPECT_THAT(Storage({"status", "nas"}).out, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pvebus::cli
