#include "storage-service/core/storage_state.h"

#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using enum Reachability;

Storage StorageOf(const std::string& type, std::vector<Endpoint> endpoints = {{"nas", 2049}}) {
  return {.storage_id = "nas", .type = type, .network = true, .endpoints = std::move(endpoints)};
}

EndpointStatus Found(Endpoint endpoint, Reachability reachability, std::string message = "") {
  return {.endpoint = std::move(endpoint), .reachability = reachability, .message = std::move(message)};
}

std::string Judged(const Storage& storage, Measurement measurement) {
  const StorageStatus status = JudgeStorage(storage, "pve1", std::move(measurement));
  return std::string(StorageStateName(status.state)) + ": " + status.reason;
}

Measurement Answering(bool mounted) {
  return {.endpoints = {Found({"nas", 2049}, kReachable)}, .mounted = mounted, .mount_point = "/mnt/pve/nas"};
}

TEST(StorageStateTest, NamesReadBack) {
  for (const auto state :
       {StorageState::kUnknown, StorageState::kActive, StorageState::kInactive, StorageState::kError, StorageState::kDisabled}) {
    EXPECT_EQ(StorageStateOfName(StorageStateName(state)), state);
  }
  EXPECT_EQ(StorageStateOfName("Active"), std::nullopt);
  EXPECT_EQ(ReachabilityName(kTimedOut), "timed out");
}

TEST(StorageStateTest, DisabledStorageIsNotJudgedByItsServer) {
  Storage storage = StorageOf("nfs");
  storage.nodes = {"pve2", "pve3"};
  EXPECT_EQ(Judged(storage, Answering(true)), "disabled: not for node pve1, only for pve2, pve3");
  storage.nodes = {"pve1"};
  EXPECT_EQ(Judged(storage, Answering(true)), "active: nas:2049 answers, mounted at /mnt/pve/nas");
  storage.enabled = false;
  EXPECT_EQ(Judged(storage, Answering(true)), "disabled: disabled in storage.cfg");
}

TEST(StorageStateTest, MountedTypesAreActiveOnlyWhenMounted) {
  for (const char* type : {"nfs", "cifs", "cephfs"}) {
    EXPECT_EQ(Judged(StorageOf(type), Answering(true)), "active: nas:2049 answers, mounted at /mnt/pve/nas");
    EXPECT_EQ(Judged(StorageOf(type), Answering(false)), "inactive: nas:2049 answers, not mounted at /mnt/pve/nas");
  }
}

TEST(StorageStateTest, IscsiIsActiveOnlyWhenLoggedIn) {
  Measurement measurement{.endpoints = {Found({"nas", 3260}, kReachable)}, .logged_in = true};
  EXPECT_EQ(Judged(StorageOf("iscsi"), measurement), "active: nas:3260 answers, logged in");
  measurement.logged_in = false;
  EXPECT_EQ(Judged(StorageOf("iscsi"), measurement), "inactive: nas:3260 answers, not logged in to its target");
}

TEST(StorageStateTest, OthersAreActiveWhenTheirServerAnswers) {
  for (const char* type : {"pbs", "esxi", "zfs", "iscsidirect", "rbd"}) {
    EXPECT_EQ(Judged(StorageOf(type), {.endpoints = {Found({"fd00::1", 8007}, kReachable)}}), "active: [fd00::1]:8007 answers");
  }
}

TEST(StorageStateTest, ErrorSaysWhyNoServerAnswers) {
  EndpointStatus refused = Found({"nas", 2049}, kRefused, "refused the connection");
  EXPECT_EQ(Judged(StorageOf("nfs"), {.endpoints = {refused}}), "error: nas:2049 refused the connection");

  EndpointStatus dark = Found({"10.0.0.9", 2049}, kTimedOut, "timed out after 3 s");
  dark.interface = "vmbr0";
  dark.link_message = "link eno1 is down";
  EXPECT_EQ(Judged(StorageOf("nfs"), {.endpoints = {dark}}), "error: 10.0.0.9:2049 timed out after 3 s (link eno1 is down)");
  dark.link_up = true;
  EXPECT_EQ(Judged(StorageOf("nfs"), {.endpoints = {dark}}), "error: 10.0.0.9:2049 timed out after 3 s");
}

TEST(StorageStateTest, OneMonitorIsEnough) {
  EndpointStatus dark = Found({"c", std::nullopt}, kTimedOut, "timed out after 3 s");
  dark.port = 6789;
  Measurement measurement{.endpoints = {Found({"a", 6789}, kReachable), Found({"b", 6789}, kReachable), dark}};
  EXPECT_EQ(Judged(StorageOf("rbd"), measurement), "active: 2 of 3 monitors answer: c:6789 timed out after 3 s");
  measurement.endpoints.pop_back();
  EXPECT_EQ(Judged(StorageOf("rbd"), measurement), "active: 2 of 2 monitors answer");
}

TEST(StorageStateTest, OwnCephClusterIsNotAsked) {
  EXPECT_EQ(Judged(StorageOf("rbd", {}), {}), "unknown: its monitors are the node's own Ceph cluster's, which is not asked");
  EXPECT_EQ(Judged(StorageOf("cephfs", {}), {.mounted = true, .mount_point = "/mnt/pve/nas"}),
            "active: its monitors are the node's own Ceph cluster's, mounted at /mnt/pve/nas");
  EXPECT_EQ(Judged(StorageOf("nfs", {}), {}), "unknown: storage.cfg names no server and port that could be asked");
}

TEST(StorageStateTest, LocalStorageIsUnknownUnlessItIsAMountPoint) {
  const Storage storage{.storage_id = "local", .type = "dir"};
  EXPECT_EQ(Judged(storage, {}), "unknown: a storage of type dir has no server to ask, and it is not examined");
  EXPECT_EQ(Judged(storage, {.mounted = true, .mount_point = "/data"}), "active: mounted at /data");
  EXPECT_EQ(Judged(storage, {.mounted = false, .mount_point = "/data"}), "inactive: not mounted at /data");
}

TEST(StorageStateTest, WhatCouldNotBeMeasuredIsUnknown) {
  EXPECT_EQ(Judged(StorageOf("nfs"), {.error = "out of memory"}), "unknown: out of memory");
  EXPECT_EQ(Judged(StorageOf("nfs"), {.endpoints = {Found({"nas", 2049}, kUnknown, "could not be tried: Too many open files")}}),
            "unknown: nas:2049 could not be tried: Too many open files");
  EXPECT_EQ(Judged(StorageOf("nfs"), {.endpoints = {Found({"nas", 2049}, kReachable)}, .mount_point = "/m"}),
            "unknown: nas:2049 answers, it is not known whether it is mounted at /m");
}

TEST(StorageStateTest, ReasonIsValidUtf8) {
  const std::string judged =
      Judged(StorageOf("nfs"), {.endpoints = {Found({"nas", 2049}, kReachable)}, .mounted = true, .mount_point = "/m\xff"});
  EXPECT_EQ(judged, "active: nas:2049 answers, mounted at /m?");
}

}  // namespace
}  // namespace pvebus::storage
