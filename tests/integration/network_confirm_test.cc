// What is undone unless it is confirmed: also when the service is killed or stopped meanwhile.
#include <filesystem>

#include "tests/integration/network_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NetworkConfirmTest : public NetworkFixture {
 protected:
  // Starts all, and applies what then awaits confirmation.
  Apply Await(milliseconds timeout) {
    StartBoth();
    folder_.Write("interfaces.new", Interfaces(1));
    const auto apply = ApplyStaged(WithConfirmation(timeout));
    EXPECT_TRUE(apply.ok()) << apply.status();
    if (!apply.ok()) return Apply();
    ExpectInForce(*apply);
    return *apply;
  }
  void ExpectInForce(const Apply& apply) {
    EXPECT_EQ(Newest().apply_id(), apply.apply_id());
    EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_AWAITING_CONFIRMATION);
    EXPECT_EQ(folder_.Read("interfaces"), Interfaces(1));
    EXPECT_EQ(folder_.InForce(), Interfaces(1));
    EXPECT_THAT(Kinds(), ElementsAre("network_applied"));
  }
  void ExpectKept() {
    WaitUntilQuiet();
    EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_COMMITTED);
    EXPECT_EQ(folder_.Read("interfaces"), Interfaces(1));
    EXPECT_THAT(folder_.Names(), ElementsAre("interfaces"));
    EXPECT_THAT(Kinds(), ElementsAre("network_applied"));
  }
  // In its time, whoever has to do it.
  Apply ExpectReverted(const Apply& awaited, const std::string& reason) {
    WaitForState(awaited.apply_id(), network::v1::APPLY_STATE_REVERTED);
    WaitUntilQuiet();
    const Apply apply = Look(awaited.apply_id());
    EXPECT_EQ(apply.error().reason(), reason);
    EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
    EXPECT_EQ(folder_.Read("interfaces.pvebus-reverted"), Interfaces(1));
    EXPECT_THAT(folder_.Names(), ElementsAre("interfaces", "interfaces.pvebus-reverted"))
        << "what cut somebody off is not staged: it would be applied at the next boot";
    EXPECT_EQ(folder_.InForce(), Interfaces(0));
    EXPECT_THAT(Kinds(), ElementsAre("network_applied", "network_reverted"));
    return apply;
  }
};

TEST_F(NetworkConfirmTest, WhatIsConfirmedInTimeStays) {
  const Apply apply = Await(seconds(2));

  const auto confirmed = Confirm(apply.apply_id());

  ASSERT_TRUE(confirmed.ok()) << confirmed.status();
  EXPECT_EQ(confirmed->state(), network::v1::APPLY_STATE_COMMITTED);
  EXPECT_TRUE(Confirm(apply.apply_id()).ok()) << "twice is once";
  EXPECT_THAT(Confirm().status(), IsError(StatusCode::kFailedPrecondition, "NOTHING_TO_CONFIRM"));
  WaitFor("its time to be over", [&] { return std::chrono::system_clock::now() > FromProto(apply.confirm_expire_time()); });
  LetPass(milliseconds(500));  // for who would undo it
  ExpectKept();
}

TEST_F(NetworkConfirmTest, WhatIsNotConfirmedIsRevertedWhenItsTimeIsOver) {
  const Apply awaited = Await(seconds(1));

  const Apply apply = ExpectReverted(awaited, "NOT_CONFIRMED");

  EXPECT_GE(FromProto(apply.end_time()), FromProto(awaited.confirm_expire_time()));
  EXPECT_THAT(Confirm(awaited.apply_id()).status(), IsError(StatusCode::kFailedPrecondition, "APPLY_NOT_IN_FORCE"));
  const auto changes = Events()[1].network_applied().changes();
  ASSERT_EQ(changes.size(), 1);
  EXPECT_THAT(changes[0].description(), HasSubstr("mtu 1001 -> 1000"));
}

TEST_F(NetworkConfirmTest, WhatIsNotConfirmedIsRevertedInTimeByTheNextProcess) {
  const Apply awaited = Await(seconds(3));

  Kill();
  Start();
  EXPECT_LT(std::chrono::system_clock::now(), FromProto(awaited.confirm_expire_time()))
      << "this machine is too slow for the test";
  ExpectInForce(awaited);

  EXPECT_GE(FromProto(ExpectReverted(awaited, "NOT_CONFIRMED").end_time()), FromProto(awaited.confirm_expire_time()));
}

TEST_F(NetworkConfirmTest, WhatIsOverdueIsRevertedWhenTheNextProcessStarts) {
  const Apply awaited = Await(seconds(1));
  Kill();
  WaitFor("its time to be over", [&] { return std::chrono::system_clock::now() > FromProto(awaited.confirm_expire_time()); });
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(1)) << "nobody was there";

  Start();

  ExpectReverted(awaited, "NOT_CONFIRMED");
}

TEST_F(NetworkConfirmTest, WhatIsConfirmedAfterARestartStays) {
  const Apply awaited = Await(hours(1));
  Kill();
  Start();

  EXPECT_TRUE(Confirm().ok());

  ExpectKept();
}

TEST_F(NetworkConfirmTest, AServiceThatIsStoppedLeavesTheRestToTheNextOne) {
  const Apply awaited = Await(hours(1));

  service_->process().Signal(SIGTERM);
  EXPECT_EQ(service_->process().WaitExit(kPatience), 0) << service_->process().StandardError();
  Start();
  ExpectInForce(awaited);

  const auto reverted = Revert("cut off");
  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->apply_id(), awaited.apply_id());
  EXPECT_THAT(ExpectReverted(awaited, "REVERTED").error().message(), HasSubstr("cut off"));
}

TEST_F(NetworkConfirmTest, NothingElseIsAppliedMeanwhile) {
  const Apply awaited = Await(hours(1));
  folder_.Write("interfaces.new", Interfaces(2));

  const absl::Status refused = ApplyStaged().status();

  EXPECT_THAT(refused, IsError(StatusCode::kFailedPrecondition, "CONFIRMATION_PENDING"));
  EXPECT_EQ(ErrorMetadata(refused)["apply_id"], awaited.apply_id());
  ExpectInForce(awaited);
}

TEST_F(NetworkConfirmTest, ARevertDoesNotTouchWhatWasStagedSince) {
  const Apply awaited = Await(hours(1));
  folder_.Write("interfaces.new", Interfaces(2));

  EXPECT_TRUE(Revert().ok());

  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(2));
  EXPECT_EQ(folder_.Read("interfaces.pvebus-reverted"), Interfaces(1));
}

TEST_F(NetworkConfirmTest, ARevertMeansWhatAwaitsConfirmationWhateverOthersChangedSince) {
  const Apply awaited = Await(hours(1));
  folder_.Append("interfaces", "\niface test2 inet manual\n");
  WaitFor(
      "the other change to be told", [&] { return Kinds().size() == 2; }, kPatience);

  const auto reverted = Revert();

  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->apply_id(), awaited.apply_id());
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.pvebus-reverted"), Interfaces(1) + "\niface test2 inet manual\n");
}

TEST_F(NetworkConfirmTest, ARevertThatIsAskedForAgainTakesNothingElseBack) {
  Await(hours(1));
  ASSERT_TRUE(Confirm().ok());
  folder_.Write("interfaces.new", Interfaces(2));
  ASSERT_TRUE(ApplyStaged(WithConfirmation(hours(1))).ok());
  network::v1::RevertApplyRequest request;
  request.set_request_id("r1");
  const auto first = Call(&Stub::RevertApply, service_->stub(), request, kPatience);
  ASSERT_TRUE(first.ok()) << first.status();
  Kill();
  Start();

  const auto again = Call(&Stub::RevertApply, service_->stub(), request, kPatience);

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->apply().apply_id(), first->apply().apply_id());
  EXPECT_EQ(again->apply().state(), network::v1::APPLY_STATE_REVERTED);
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(1));
  network::v1::ApplyPendingChangesRequest other;
  other.set_request_id("r1");
  EXPECT_THAT(ApplyStaged(other).status(), IsError(StatusCode::kAlreadyExists, "REQUEST_ID_IN_USE"));
}

TEST_F(NetworkConfirmTest, WhatWasCommittedIsTakenBackByAnApplyOfItsOwn) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  const auto applied = ApplyStaged();
  ASSERT_TRUE(applied.ok()) << applied.status();

  const auto reverted = Revert("slow");

  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->source(), network::v1::APPLY_SOURCE_REVERT);
  EXPECT_EQ(reverted->reverts_apply_id(), applied->apply_id());
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.InForce(), Interfaces(0));
  EXPECT_THAT(folder_.Names(), ElementsAre("interfaces"));
  EXPECT_THAT(Kinds(), ElementsAre("network_applied", "network_applied"));
}

TEST_F(NetworkConfirmTest, AServiceThatIsStoppedWhileIfreloadRunsWaitsForItsEnd) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  ReloadGate gate(folder_);
  auto answer = ApplyLater();
  gate.WaitReached();

  service_->process().Signal(SIGTERM);
  WaitFor("the service to be told to stop",
          [&] { return service_->process().StandardError().find("state=stopping") != std::string::npos; });
  EXPECT_EQ(service_->process().WaitExit(seconds(2)), std::nullopt) << "ifreload still runs";
  gate.Open();

  EXPECT_EQ(service_->process().WaitExit(kPatience), 0) << service_->process().StandardError();
  answer.wait();
  Start();
  ExpectKept();
}

TEST_F(NetworkConfirmTest, AServiceThatIsStoppedWhileIfreloadFailsUndoesItFirst) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  folder_.SetIfreload("if cmp -s network/interfaces new; then exit 3; fi");
  std::filesystem::copy_file(folder_.Path("interfaces.new"), folder_.Beside("new"));
  ReloadGate gate(folder_);
  auto answer = ApplyLater();
  gate.WaitReached();

  service_->process().Signal(SIGTERM);
  gate.Open();

  EXPECT_EQ(service_->process().WaitExit(kPatience), 0) << service_->process().StandardError();
  answer.wait();
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  Start();
  WaitUntilQuiet();
  EXPECT_EQ(Newest().error().reason(), "RELOAD_FAILED");
  EXPECT_THAT(Kinds(), ElementsAre("network_apply_failed"));
}

}  // namespace
}  // namespace pvebus::testing
