// Several who change the network at once, callers that hang up, and what a service cannot do.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/network_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NetworkConcurrencyTest : public NetworkFixture {
 protected:
  void SetUp() override {
    NetworkFixture::SetUp();
    if (IsSkipped()) return;
    StartBoth();
    folder_.Write("interfaces.new", Interfaces(1));
  }
  static network::v1::ApplyPendingChangesRequest WithRequestId(const std::string& request_id) {
    network::v1::ApplyPendingChangesRequest request;
    request.set_request_id(request_id);
    return request;
  }
  network::v1::GetPendingChangesResponse Pending() {
    const auto response = Call(&Stub::GetPendingChanges, service_->stub(), network::v1::GetPendingChangesRequest(), kPatience);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.value_or(network::v1::GetPendingChangesResponse());
  }
  Fd OpenProxmoxLock() { return Fd(open(folder_.Path(".pve-interfaces.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)); }
  void ExpectAppliedOnce() {
    WaitUntilQuiet();
    EXPECT_THAT(List(), ::testing::SizeIs(1));
    EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_COMMITTED);
    EXPECT_EQ(folder_.InForce(), Interfaces(1));
    EXPECT_THAT(Kinds(), ElementsAre("network_applied"));
  }
};

TEST_F(NetworkConcurrencyTest, WhoComesWhileSomethingIsAppliedIsRefusedAndMayLook) {
  ReloadGate gate(folder_);
  auto answer = ApplyLater();
  gate.WaitReached();

  const absl::Status second = ApplyStaged().status();

  EXPECT_THAT(second, IsError(StatusCode::kAborted, "APPLY_IN_PROGRESS"));
  EXPECT_THAT(Revert().status(), IsError(StatusCode::kAborted, "APPLY_IN_PROGRESS"));
  EXPECT_THAT(Confirm().status(), IsError(StatusCode::kAborted, "APPLY_IN_PROGRESS"));
  const Apply under_way = Newest();
  EXPECT_EQ(under_way.apply_id(), ErrorMetadata(second)["apply_id"]);
  EXPECT_EQ(under_way.state(), network::v1::APPLY_STATE_APPLYING);
  EXPECT_EQ(under_way.step(), network::v1::APPLY_STEP_RELOADING);
  EXPECT_FALSE(under_way.has_end_time());
  EXPECT_EQ(Pending().state(), network::v1::PENDING_STATE_NONE);
  const Fd lock = OpenProxmoxLock();
  EXPECT_NE(flock(lock.get(), LOCK_EX | LOCK_NB), 0) << "Proxmox VE has to wait";
  EXPECT_THAT(Kinds(), IsEmpty()) << "it is not yet so";
  gate.Open();

  EXPECT_TRUE(answer.get().ok());
  ExpectAppliedOnce();
}

TEST_F(NetworkConcurrencyTest, TheSameRequestAtOnceAndLaterIsOneApply) {
  ReloadGate gate(folder_);
  auto first = ApplyLater(WithRequestId("r1"));
  auto second = ApplyLater(WithRequestId("r1"));
  gate.WaitReached();
  auto third = ApplyLater(WithRequestId("r1"));
  gate.Open();

  const auto one = first.get();
  ASSERT_TRUE(one.ok()) << one.status();
  for (auto* answer : {&second, &third}) {
    const auto other = answer->get();
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ(other->apply_id(), one->apply_id());
  }
  const auto later = ApplyStaged(WithRequestId("r1"));
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->apply_id(), one->apply_id());
  auto other = WithConfirmation(seconds(60));
  other.set_request_id("r1");
  EXPECT_THAT(ApplyStaged(other).status(), IsError(StatusCode::kAlreadyExists, "REQUEST_ID_IN_USE"));
  ExpectAppliedOnce();
}

TEST_F(NetworkConcurrencyTest, AnApplyWhoseCallerHangsUpGoesOnToItsEnd) {
  ReloadGate gate(folder_);

  EXPECT_EQ(ApplyStaged(WithRequestId("r1"), milliseconds(200)).status().code(), StatusCode::kDeadlineExceeded);
  gate.WaitReached();
  gate.Open();

  const auto again = ApplyStaged(WithRequestId("r1"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state(), network::v1::APPLY_STATE_COMMITTED);
  ExpectAppliedOnce();
}

TEST_F(NetworkConcurrencyTest, AnUndoneRequestThatIsAskedForAgainIsNotAppliedAgain) {
  folder_.SetIfreload("if [ ! -e failed ]; then touch failed; exit 3; fi");
  const absl::Status undone = ApplyStaged(WithRequestId("r1")).status();
  ASSERT_THAT(undone, IsError(StatusCode::kFailedPrecondition, "RELOAD_FAILED"));

  const absl::Status again = ApplyStaged(WithRequestId("r1")).status();

  EXPECT_THAT(again, IsError(StatusCode::kFailedPrecondition, "RELOAD_FAILED"));
  EXPECT_EQ(ErrorMetadata(again)["apply_id"], ErrorMetadata(undone)["apply_id"]);
  EXPECT_EQ(folder_.InForce(), Interfaces(0));
}

TEST_F(NetworkConcurrencyTest, WhoHoldsProxmoxVesLockTooLongIsNotPushedAside) {
  const Fd lock = OpenProxmoxLock();
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  const auto begin = std::chrono::steady_clock::now();

  const absl::Status status = ApplyStaged().status();

  EXPECT_THAT(status, IsError(StatusCode::kUnavailable, "CONFIGURATION_LOCKED"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(9));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(NetworkConcurrencyTest, WhoHoldsProxmoxVesLockForAWhileIsWaitedFor) {
  Fd lock = OpenProxmoxLock();
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);

  auto answer = ApplyLater();
  EXPECT_EQ(answer.wait_for(milliseconds(500)), std::future_status::timeout);
  lock = Fd();

  EXPECT_TRUE(answer.get().ok());
  ExpectAppliedOnce();
}

TEST_F(NetworkConcurrencyTest, WhatWasLookedAtIsWhatIsApplied) {
  network::v1::ApplyPendingChangesRequest request;
  request.set_etag(Pending().etag());
  ASSERT_NE(request.etag(), "");
  folder_.Replace("interfaces.new", Interfaces(2));

  const absl::Status changed = ApplyStaged(request).status();

  EXPECT_THAT(changed, IsError(StatusCode::kAborted, "ETAG_MISMATCH"));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  request.set_etag(ErrorMetadata(changed)["etag"]);
  EXPECT_TRUE(ApplyStaged(request).ok());
}

TEST_F(NetworkConcurrencyTest, WithoutIfupdown2NothingIsApplied) {
  std::filesystem::remove(folder_.Beside("ifreload"));

  EXPECT_THAT(ApplyStaged().status(), IsError(StatusCode::kFailedPrecondition, "IFUPDOWN2_MISSING"));

  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  EXPECT_EQ(Pending().state(), network::v1::PENDING_STATE_READY) << "reading goes on";
}

class NetworkPrivilegesTest : public NetworkFixture {
 protected:
  // Anybody can run the service.
  void SetUp() override {}
};

TEST_F(NetworkPrivilegesTest, WithoutRootNothingIsApplied) {
  std::vector<std::string> launcher;
  if (geteuid() == 0) {
    launcher = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    std::vector<std::string> line = launcher;
    line.insert(line.end(), {"/usr/bin/test", "-x", ProgramPath("network-service")});
    if (Process(line).WaitExit(kSoon) != 0)
      GTEST_SKIP() << "NOT PROVEN: applying without root: nobody may not run what was built";
    std::filesystem::permissions(folder_.Beside("."), std::filesystem::perms::all);
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  }
  StartBus();
  service_ = std::make_unique<NetworkProcess>(folder_, bus_->address(), std::vector<std::string>(), launcher);
  folder_.Write("interfaces.new", Interfaces(1));

  EXPECT_THAT(ApplyStaged().status(), IsError(StatusCode::kFailedPrecondition, "PRIVILEGES_MISSING"));

  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  EXPECT_THAT(List(), IsEmpty());
}

}  // namespace
}  // namespace pvebus::testing
