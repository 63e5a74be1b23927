#include "network-service/core/network_applier.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing_fake_node.h"
#include "network-service/core/testing_memory_apply_store.h"
#include "sdk/base/error.h"

namespace pvebus::network {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kOld[] =
    "auto lo\niface lo inet loopback\n"
    "auto eno1\niface eno1 inet manual\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.1/24\n\tbridge-ports eno1\n";
constexpr char kNew[] =
    "# moved\nauto lo\niface lo inet loopback\n"
    "auto eno1\niface eno1 inet manual\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.2/24\n\tbridge-ports eno1\n"
    "auto vmbr0.5\niface vmbr0.5 inet manual\n";

// A process of network-service, without its server.
class NetworkApplierTest : public testing::Test {
 protected:
  NetworkApplierTest() {
    node_.PutInForce(kOld);
    node_.staged = kNew;
    Restart();
    EXPECT_TRUE(applier_->Recover().ok());
  }

  void Restart() {
    applier_ = std::make_unique<NetworkApplier>(
        node_, *store_, clock_, logger_,
        NetworkApplier::Options{.boot_id = "boot", .staged_path = "/etc/network/interfaces.new", .new_id = [this] {
                                  return absl::StrFormat("id%d", ++ids_);
                                }});
  }

  absl::StatusOr<ApplyRecord> Apply(ApplyRequest request = {}) { return applier_->Apply(request, {}); }

  std::vector<NoticeKind> Notices() {
    std::vector<NoticeKind> kinds;
    const auto notices = store_->Notices();
    for (const Notice& notice : *notices) kinds.push_back(notice.kind);
    return kinds;
  }

  FakeNode node_;
  std::optional<MemoryApplyStore> store_{std::in_place};
  FakeClock clock_;
  NullLogger logger_;
  int ids_ = 0;
  std::unique_ptr<NetworkApplier> applier_;
};

TEST_F(NetworkApplierTest, WhatIsStagedIsInForceAndTold) {
  const auto record = Apply({.reason = "why", .requested_by = "me"});

  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->state, ApplyState::kCommitted);
  EXPECT_EQ(node_.applied, kNew);
  EXPECT_FALSE(node_.staged);
  EXPECT_FALSE(node_.old) << "is not needed any more";
  EXPECT_EQ(node_.locked, 0);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied));
  std::vector<std::string> changes;
  for (const ConfigChange& change : ChangesOf(*record)) changes.push_back(change.description);
  EXPECT_THAT(changes, ElementsAre(HasSubstr("192.0.2.1/24 -> 192.0.2.2/24"), HasSubstr("vmbr0.5")));
  EXPECT_EQ((*store_->Find(record->apply_id))->reason, "why");
  EXPECT_EQ((*store_->Known())->interfaces, record->new_interfaces);
}

TEST_F(NetworkApplierTest, NothingStagedIsSaid) {
  node_.staged.reset();

  const auto record = Apply();

  EXPECT_EQ(ErrorReason(record.status()), "NOTHING_STAGED");
  EXPECT_THAT(*store_->List(0, 10), IsEmpty());
}

TEST_F(NetworkApplierTest, ErrorsInTheStagedFileTouchNothing) {
  node_.staged = "iface eno1 inet static\n\taddress 1.2.3\n";

  const auto record = Apply();

  EXPECT_EQ(ErrorReason(record.status()), "STAGED_INVALID");
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_TRUE(node_.staged);
  EXPECT_THAT(Notices(), IsEmpty()) << "refused is not failed";
}

TEST_F(NetworkApplierTest, WhatIfupdownRefusesIsNotTouched) {
  node_.syntax = {.exit_code = 1, .output = "error: eno1: bad\n"};

  const auto record = Apply();

  EXPECT_EQ(ErrorReason(record.status()), "SYNTAX_CHECK_FAILED");
  EXPECT_THAT(std::string(record.status().message()), HasSubstr("error: eno1: bad"));
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkApplierTest, WhatIfupdownOnlyWarnsOfIsApplied) {
  node_.syntax = {.exit_code = 1, .output = "warning: vmbr1: bridge-ports: invalid value \"none\"\n"};

  EXPECT_EQ(Apply()->state, ApplyState::kCommitted);
}

TEST_F(NetworkApplierTest, WhatAReloadComplainsOfWithoutFailingIsAWarning) {
  node_.reloads = {{.output = "warning: eno1: post-up cmd 'exit 3' failed: returned 3\n"}};

  const auto record = Apply();

  EXPECT_EQ(record->state, ApplyState::kCommitted);
  EXPECT_THAT(record->warnings, Contains("ifreload: warning: eno1: post-up cmd 'exit 3' failed: returned 3"));
}

TEST_F(NetworkApplierTest, AReloadThatLacksTheCardsItLackedBeforeIsJudgedByTheKernel) {
  const std::string lacking = "auto vmbr9\niface vmbr9 inet manual\n\tbridge-ports eno9\n";
  node_.PutInForce(kOld + lacking);
  node_.staged = kNew + lacking;
  node_.reload_complains = true;

  EXPECT_EQ(Apply()->state, ApplyState::kCommitted);
  EXPECT_EQ(applier_->Revert({}, {})->state, ApplyState::kCommitted);

  node_.staged = kNew + lacking;
  node_.lying_reloads = 2;
  const auto lied = Apply();
  EXPECT_EQ(lied->state, ApplyState::kFailed) << "and not kUndoFailed";
  EXPECT_EQ(lied->failure.reason, "RELOAD_FAILED");
}

// A slave that its bond lets go of is down after the first.
TEST_F(NetworkApplierTest, WhatASecondReloadBringsAboutIsApplied) {
  node_.lying_reloads = 1;
  node_.reloads = {{.output = "first\n"}, {.output = "second\n"}};

  const auto record = Apply();

  EXPECT_EQ(record->state, ApplyState::kCommitted);
  EXPECT_EQ(record->reload->output, "first\nsecond\n");
  EXPECT_THAT(record->warnings, IsEmpty());
}

TEST_F(NetworkApplierTest, AnUndoReloadsASecondTimeToo) {
  const auto record = Apply({.confirm_timeout = seconds(9)});
  ASSERT_EQ(record->state, ApplyState::kAwaitingConfirmation);
  node_.lying_reloads = 1;

  const auto reverted = applier_->Revert({}, {});

  EXPECT_EQ(reverted->state, ApplyState::kReverted);
  EXPECT_THAT(reverted->warnings, IsEmpty());
  EXPECT_EQ(node_.kernel.Find("vmbr0")->addresses, KernelOf(ParsePrinted(kOld)).Find("vmbr0")->addresses);
}

TEST_F(NetworkApplierTest, AReloadThatEndsWithOneFailsWhenNothingWasLacking) {
  node_.reload_complains = true;

  const auto record = Apply();

  EXPECT_EQ(record->state, ApplyState::kUndoFailed) << record->failure.message;
}

TEST_F(NetworkApplierTest, ValidationChangesNothing) {
  const auto record = Apply({.validate_only = true});

  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_THAT(record->apply_id, IsEmpty());
  EXPECT_EQ(ChangesOf(*record).size(), 2u);
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_THAT(*store_->List(0, 10), IsEmpty());
}

TEST_F(NetworkApplierTest, EtagOfAnOlderStateIsRefused) {
  const auto plan = ReadPlan(node_, Candidate::kStaged);
  node_.staged = std::string(kNew) + "# one more\n";

  const auto record = Apply({.etag = plan->etag});

  EXPECT_EQ(ErrorReason(record.status()), "ETAG_MISMATCH");
  EXPECT_TRUE(Apply({.etag = ErrorMetadata(record.status())["etag"]}).ok());
}

TEST_F(NetworkApplierTest, BadFieldsAreNamed) {
  EXPECT_EQ(ErrorReason(Apply({.confirm_timeout = std::chrono::milliseconds(10)}).status()), "CONFIRM_TIMEOUT_INVALID");
  EXPECT_EQ(ErrorReason(Apply({.confirm_timeout = std::chrono::hours(25)}).status()), "CONFIRM_TIMEOUT_INVALID");
  EXPECT_EQ(ErrorReason(Apply({.reason = std::string(2000, 'x')}).status()), "FIELD_TOO_LONG");
  EXPECT_EQ(ErrorReason(Apply({.request_id = std::string(2000, 'x')}).status()), "FIELD_TOO_LONG");
}

TEST_F(NetworkApplierTest, SameRequestAgainIsTheSameApply) {
  const auto first = Apply({.request_id = "r"});
  node_.staged = kOld;

  const auto again = Apply({.request_id = "r"});

  EXPECT_EQ(again->apply_id, first->apply_id);
  EXPECT_EQ(node_.applied, kNew);
  EXPECT_EQ(ErrorReason(Apply({.request_id = "r", .confirm_timeout = seconds(9)}).status()), "REQUEST_ID_IN_USE");
}

TEST_F(NetworkApplierTest, CommentsAloneAreAppliedButNoEvent) {
  node_.staged = std::string("# only this\n") + kOld;

  const auto record = Apply();

  EXPECT_EQ(record->state, ApplyState::kCommitted);
  EXPECT_EQ(node_.applied, std::string("# only this\n") + kOld);
  EXPECT_THAT(Notices(), IsEmpty());
}

// What can fail, and what the caller is told.
struct Fault {
  std::string name;
  std::function<void(FakeNode&, MemoryApplyStore&)> inject;
  std::string reason;
};
class NetworkApplierFaultTest : public NetworkApplierTest, public testing::WithParamInterface<Fault> {};

TEST_P(NetworkApplierFaultTest, OldNetworkIsBackAndTheBusHearsOfIt) {
  GetParam().inject(node_, *store_);

  const auto record = Apply();

  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->state, ApplyState::kFailed);
  EXPECT_EQ(record->failure.reason, GetParam().reason) << record->failure.message;
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_EQ(node_.staged, kNew) << "can be mended and tried again";
  EXPECT_EQ(node_.kernel.Find("vmbr0")->addresses, KernelOf(ParsePrinted(kOld)).Find("vmbr0")->addresses);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed));
  EXPECT_EQ(ErrorReason(UndoneApply(*record)), GetParam().reason);
  EXPECT_EQ(Apply()->state, ApplyState::kCommitted) << "the next one works";
}

INSTANTIATE_TEST_SUITE_P(
    Faults, NetworkApplierFaultTest,
    testing::Values(Fault{"FullDiskWhenKeeping",
                          [](FakeNode& node, auto&) {
                            node.failures["KeepOld"] = MakeError(absl::StatusCode::kResourceExhausted, "DISK_FULL", "no room");
                          },
                          "DISK_FULL"},
                    Fault{"Rename", [](FakeNode& node, auto&) { node.failures["Install"] = absl::UnavailableError("read-only"); },
                          "NOT_INSTALLED"},
                    Fault{"ReloadFails",
                          [](FakeNode& node, auto&) { node.reloads = {{.exit_code = 3, .output = "error: vmbr0: boom\n"}}; },
                          "RELOAD_FAILED"},
                    Fault{"ReloadHangs", [](FakeNode& node, auto&) { node.reloads = {{.exit_code = 137, .timed_out = true}}; },
                          "RELOAD_TIMED_OUT"},
                    Fault{"ReloadLies", [](FakeNode& node, auto&) { node.lying_reloads = 2; }, "NOT_AS_CONFIGURED"},
                    Fault{"ReloadCannotStart",
                          [](FakeNode& node, auto&) { node.failures["Reload"] = absl::InternalError("no memory"); },
                          "RELOAD_FAILED"},
                    Fault{"CommitFails",
                          [](FakeNode&, MemoryApplyStore& store) {
                            store.FailNext(MakeError(absl::StatusCode::kResourceExhausted, "NETWORK_STATE_FULL", "no room"), 1);
                          },
                          "NETWORK_STATE_FULL"},
                    Fault{"StagedFileChangesMeanwhile",
                          [](FakeNode& node, auto&) {
                            node.before_call = [&node](const std::string& call) {
                              if (call == "KeepOld") {
                                node.staged = kOld;
                                node.before_call = [&node](const std::string& next) {
                                  if (next == "Restore") node.staged = kNew;
                                };
                              }
                            };
                          },
                          "STAGED_CHANGED"}),
    [](const auto& param) { return param.param.name; });

TEST_F(NetworkApplierTest, WhatIfreloadLeavesToHotplugIsNotJudged) {
  node_.staged = std::string(kOld) + "allow-hotplug eno2\niface eno2 inet static\n\taddress 203.0.113.1/24\n";
  node_.lying_reloads = 2;

  const auto record = Apply();

  EXPECT_EQ(record->state, ApplyState::kCommitted) << record->failure.message;
}

TEST_F(NetworkApplierTest, UndoThatFailsIsSaid) {
  node_.reloads = {{.exit_code = 3, .output = "first"}, {.exit_code = 4, .output = "second"}};

  const auto record = Apply();

  EXPECT_EQ(record->state, ApplyState::kUndoFailed);
  EXPECT_THAT(record->failure.message, testing::AllOf(HasSubstr("first"), HasSubstr("second")));
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_EQ(UndoneApply(*record).code(), absl::StatusCode::kInternal);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed));
}

TEST_F(NetworkApplierTest, FilesThatCannotBePutBackAreTriedUntilItWorks) {
  node_.reloads = {{.exit_code = 3}};
  node_.failures["Restore"] = absl::UnavailableError("read-only");

  const auto record = Apply();

  EXPECT_EQ(ErrorReason(record.status()), "UNDO_FAILED");
  EXPECT_EQ(ErrorReason(Apply().status()), "UNDO_FAILED") << "nothing else happens before";
  ASSERT_TRUE(applier_->NextDeadline());
  clock_.Advance(*applier_->NextDeadline() - clock_.SteadyNow());
  EXPECT_TRUE(applier_->GoOn().ok());
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed));
  EXPECT_EQ((*store_->List(0, 1))[0].state, ApplyState::kFailed);
  EXPECT_FALSE(applier_->NextDeadline());
}

TEST_F(NetworkApplierTest, FilesThatCannotBePutBackYetAreNoChangeOfOthers) {
  node_.reloads = {{.exit_code = 1}};
  node_.failures["Restore"] = absl::ResourceExhaustedError("full");
  ASSERT_EQ(ErrorReason(Apply().status()), "UNDO_FAILED");

  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_THAT(Notices(), IsEmpty());
  node_.failures["Restore"] = absl::ResourceExhaustedError("full");
  Restart();
  EXPECT_TRUE(applier_->Recover().ok());
  EXPECT_THAT(Notices(), IsEmpty());

  clock_.Advance(seconds(10));
  EXPECT_TRUE(applier_->GoOn().ok());
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed));
}

TEST_F(NetworkApplierTest, UnconfirmedIsReverted) {
  const auto record = Apply({.confirm_timeout = seconds(20)});
  ASSERT_EQ(record->state, ApplyState::kAwaitingConfirmation);
  EXPECT_TRUE(node_.old) << "kept until it is confirmed";
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied));
  clock_.Advance(seconds(19));
  EXPECT_TRUE(applier_->GoOn().ok());
  EXPECT_EQ(node_.applied, kNew);

  clock_.Advance(seconds(1));
  EXPECT_TRUE(applier_->GoOn().ok());

  const auto reverted = *store_->Find(record->apply_id);
  EXPECT_EQ(reverted->state, ApplyState::kReverted);
  EXPECT_EQ(reverted->failure.reason, "NOT_CONFIRMED");
  EXPECT_THAT(reverted->failure.message, HasSubstr("20s"));
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_FALSE(node_.staged) << "would be applied when the node boots";
  EXPECT_EQ(node_.reverted, kNew);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied, NoticeKind::kReverted));
  EXPECT_FALSE(applier_->NextDeadline());
}

TEST_F(NetworkApplierTest, ConfirmedStays) {
  const auto record = Apply({.confirm_timeout = seconds(20)});

  EXPECT_EQ(ErrorReason(Apply().status()), "CONFIRMATION_PENDING");
  EXPECT_EQ(applier_->Confirm("", true)->state, ApplyState::kAwaitingConfirmation);
  EXPECT_EQ(ErrorReason(applier_->Confirm("other", false).status()), "APPLY_NOT_FOUND");
  EXPECT_EQ(applier_->Confirm("", false)->state, ApplyState::kCommitted);

  EXPECT_EQ(applier_->Confirm(record->apply_id, false)->state, ApplyState::kCommitted) << "once more is no error";
  EXPECT_EQ(ErrorReason(applier_->Confirm("", false).status()), "NOTHING_TO_CONFIRM");
  clock_.Advance(seconds(100));
  EXPECT_TRUE(applier_->GoOn().ok());
  EXPECT_EQ(node_.applied, kNew);
  EXPECT_FALSE(node_.old);
}

TEST_F(NetworkApplierTest, ConfirmationComesTooLate) {
  const auto record = Apply({.confirm_timeout = seconds(1)});
  clock_.Advance(seconds(1));
  EXPECT_TRUE(applier_->GoOn().ok());

  EXPECT_EQ(ErrorReason(applier_->Confirm(record->apply_id, false).status()), "APPLY_NOT_IN_FORCE");
}

TEST_F(NetworkApplierTest, TimeGoesOnOverARestartAndNoClockMakesItLonger) {
  const auto record = Apply({.confirm_timeout = seconds(20)});
  clock_.Advance(seconds(5));
  Restart();
  ASSERT_TRUE(applier_->Recover().ok());
  EXPECT_EQ(*applier_->NextDeadline() - clock_.SteadyNow(), seconds(15));
  ApplyRecord set_back = **store_->Find(record->apply_id);
  set_back.confirm_until = clock_.SystemNow() + std::chrono::hours(5);
  ASSERT_TRUE(store_->Update(set_back, {}, std::nullopt).ok());

  Restart();
  ASSERT_TRUE(applier_->Recover().ok());

  EXPECT_EQ(*applier_->NextDeadline() - clock_.SteadyNow(), seconds(20));
}

TEST_F(NetworkApplierTest, WhatAwaitsConfirmationIsTakenBackAtOnce) {
  const auto record = Apply({.confirm_timeout = seconds(20)});

  const auto reverted = applier_->Revert({.reason = "oops", .requested_by = "me"}, {});

  EXPECT_EQ(reverted->apply_id, record->apply_id);
  EXPECT_EQ(reverted->state, ApplyState::kReverted);
  EXPECT_THAT(reverted->failure.message, HasSubstr("oops"));
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkApplierTest, WhatAwaitsConfirmationIsTakenBackWhateverOthersChangedSince) {
  const auto record = Apply({.confirm_timeout = seconds(20)});
  node_.PutInForce(std::string(kNew) + "\tmtu 1400\n");
  ASSERT_TRUE(applier_->NoticeOtherChanges({}).ok());

  const auto reverted = applier_->Revert({}, {});

  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->apply_id, record->apply_id);
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkApplierTest, WhatOthersChangedBeforeARevertIsToldOnceAndItsLossToo) {
  constexpr char kOther[] = "auto eno2\niface eno2 inet manual\n";
  ASSERT_TRUE(Apply({.confirm_timeout = seconds(20)}).ok());
  node_.PutInForce(std::string(kNew) + kOther);
  ASSERT_TRUE(applier_->NoticeOtherChanges({}).ok());
  ASSERT_TRUE(applier_->Revert({}, {}).ok());

  ASSERT_TRUE(applier_->NoticeOtherChanges({}).ok());

  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied, NoticeKind::kApplied, NoticeKind::kReverted, NoticeKind::kApplied));
  const auto changes = ChangesOf((*store_->List(0, 1))[0]);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].type, ChangeType::kDelete);
  EXPECT_EQ(changes[0].target, "eno2");
}

TEST_F(NetworkApplierTest, SameRevertAgainTakesNothingElseBack) {
  ASSERT_TRUE(Apply().ok());
  node_.staged = kOld;
  const auto record = Apply({.request_id = "a1", .confirm_timeout = seconds(20)});
  ASSERT_TRUE(applier_->Revert({.request_id = "r1"}, {}).ok());

  const auto again = applier_->Revert({.request_id = "r1"}, {});

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->apply_id, record->apply_id);
  EXPECT_EQ(again->state, ApplyState::kReverted);
  EXPECT_EQ(node_.applied, kNew);
  EXPECT_EQ(applier_->Revert({.apply_id = record->apply_id, .request_id = "r1"}, {})->apply_id, record->apply_id);
  EXPECT_EQ(ErrorReason(applier_->Revert({.apply_id = "id1", .request_id = "r1"}, {}).status()), "REQUEST_ID_IN_USE");
  EXPECT_EQ(ErrorReason(applier_->Revert({.request_id = "a1"}, {}).status()), "REQUEST_ID_IN_USE");
  EXPECT_EQ(ErrorReason(Apply({.request_id = "r1"}).status()), "REQUEST_ID_IN_USE");
}

TEST_F(NetworkApplierTest, SameRevertAgainGoesOnWithWhatCouldNotBeDone) {
  ASSERT_TRUE(Apply({.confirm_timeout = seconds(20)}).ok());
  node_.failures["Restore"] = absl::UnavailableError("read-only");
  ASSERT_EQ(ErrorReason(applier_->Revert({.request_id = "r1"}, {}).status()), "UNDO_FAILED");

  const auto again = applier_->Revert({.request_id = "r1"}, {});

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state, ApplyState::kReverted);
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkApplierTest, CommittedApplyIsTakenBackByAnother) {
  const auto record = Apply();
  const auto dry = applier_->Revert({.validate_only = true}, {});
  EXPECT_EQ(node_.applied, kNew);
  EXPECT_FALSE(node_.candidate);

  const auto reverted = applier_->Revert({.request_id = "r"}, {});

  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->source, ApplySource::kRevert);
  EXPECT_EQ(reverted->reverts_apply_id, record->apply_id);
  EXPECT_EQ(reverted->state, ApplyState::kCommitted);
  EXPECT_EQ(ChangesOf(*reverted), ChangesBack(*record));
  EXPECT_EQ(ChangesOf(*dry), ChangesBack(*record));
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied, NoticeKind::kApplied));
  EXPECT_EQ(applier_->Revert({.request_id = "r"}, {})->apply_id, reverted->apply_id);
}

TEST_F(NetworkApplierTest, RevertThatFailsLeavesWhatWasInForce) {
  ASSERT_TRUE(Apply().ok());
  node_.reloads = {{.exit_code = 1}};

  const auto reverted = applier_->Revert({}, {});

  EXPECT_EQ(reverted->state, ApplyState::kFailed);
  EXPECT_EQ(node_.applied, kNew);
  EXPECT_FALSE(node_.staged);
}

TEST_F(NetworkApplierTest, WhatOthersChangedSinceIsNotTakenBack) {
  EXPECT_EQ(ErrorReason(applier_->Revert({}, {}).status()), "NOTHING_TO_REVERT");
  const auto record = Apply();
  node_.PutInForce(std::string(kNew) + "\tmtu 1400\n");

  EXPECT_EQ(ErrorReason(applier_->Revert({.apply_id = record->apply_id}, {}).status()), "APPLY_SUPERSEDED");
  const auto newest = (*store_->List(0, 1))[0];
  EXPECT_EQ(newest.source, ApplySource::kFile) << "was noticed on the way";
  EXPECT_EQ(ErrorReason(applier_->Revert({.apply_id = newest.apply_id}, {}).status()), "APPLY_NOT_REVERTIBLE");
  EXPECT_EQ(ErrorReason(applier_->Revert({.apply_id = "x"}, {}).status()), "APPLY_NOT_FOUND");
}

TEST_F(NetworkApplierTest, ChangesOfOthersAreTold) {
  node_.PutInForce(kNew);

  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());

  ASSERT_THAT(Notices(), ElementsAre(NoticeKind::kApplied)) << "once";
  const ApplyRecord record = (*store_->List(0, 1))[0];
  EXPECT_EQ(record.source, ApplySource::kFile);
  EXPECT_EQ(ChangesOf(record).size(), 2u);
}

TEST_F(NetworkApplierTest, ChangesOfSdnAreToldAsSuch) {
  const auto newest = [&] { return store_->List(0, 1)->front(); };
  node_.sdn = "auto vnet1\niface vnet1\n\tbridge-ports none\n";
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_EQ(newest().source, ApplySource::kSdn);
  node_.sdn = "auto vnet1\niface vnet1\n\tbridge-ports none\n\tmtu 1400\n";
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_EQ(newest().source, ApplySource::kSdn);
  node_.sdn = "";
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_EQ(newest().source, ApplySource::kSdn) << "also when there are only deletes";

  node_.applied = kNew;
  node_.sdn = "auto vnet2\niface vnet2\n\tbridge-ports none\n";
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());

  EXPECT_EQ(newest().source, ApplySource::kFile) << "not all of it is SDN's";
}

TEST_F(NetworkApplierTest, ChangesOfOthersWithErrorsWaitUntilTheyAreMended) {
  node_.applied = "iface\n";
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());
  EXPECT_THAT(Notices(), IsEmpty());

  node_.PutInForce(kNew);
  EXPECT_TRUE(applier_->NoticeOtherChanges({}).ok());

  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied));
}

TEST_F(NetworkApplierTest, ChangesWhileTheServiceWasAwayAreToldAtTheStart) {
  node_.PutInForce(kNew);
  Restart();

  ASSERT_TRUE(applier_->Recover().ok());

  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied));
  EXPECT_EQ((*store_->List(0, 1))[0].source, ApplySource::kRestart);
}

TEST_F(NetworkApplierTest, FirstStartTellsNothing) { EXPECT_THAT(Notices(), IsEmpty()); }

TEST_F(NetworkApplierTest, OnlyOneThingHappensAtATime) {
  absl::Status other;
  absl::Status confirm;
  node_.during_reload = [&] {
    std::thread([&] {
      other = Apply().status();
      confirm = applier_->Confirm("", false).status();
    }).join();
    EXPECT_EQ(applier_->Progress()->step, ApplyStep::kReloading);
  };

  EXPECT_TRUE(Apply().ok());

  EXPECT_EQ(ErrorReason(other), "APPLY_IN_PROGRESS");
  EXPECT_EQ(ErrorReason(confirm), "APPLY_IN_PROGRESS");
  EXPECT_FALSE(applier_->Progress());
}

TEST_F(NetworkApplierTest, WhoAsksTwiceAtOnceWaitsForTheOne) {
  std::thread second;
  absl::StatusOr<ApplyRecord> again = absl::UnknownError("");
  node_.during_reload = [&] { second = std::thread([&] { again = Apply({.request_id = "r"}); }); };

  const auto first = Apply({.request_id = "r"});
  second.join();

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->apply_id, first->apply_id);
}

struct Crash {};

// The process dies before its Nth call to the world, for every N; the next one makes whole what is left.
class NetworkApplierCrashTest : public NetworkApplierTest {
 protected:
  // False when it did not come to the Nth call.
  template <typename Work>
  bool DieAt(int n, Work work) {
    int calls = 0;
    const auto die = [&](const std::string&) {
      if (++calls == n) throw Crash();
    };
    node_.before_call = die;
    store_->before_call = die;
    bool died = false;
    try {
      work();
    } catch (const Crash&) {
      died = true;
    }
    node_.before_call = [](const std::string&) {};
    store_->before_call = [](const std::string&) {};
    return died;
  }

  void StartAgain() {
    Restart();
    ASSERT_TRUE(applier_->Recover().ok());
  }

  void ExpectNothingLeft() {
    EXPECT_THAT(*store_->UnderWay(), IsEmpty());
    EXPECT_FALSE(node_.old);
    EXPECT_FALSE(node_.candidate);
    EXPECT_EQ(node_.locked, 0);
    const auto links = KernelOf(ParsePrinted(*node_.applied)).links;
    ASSERT_EQ(node_.kernel.links.size(), links.size()) << "the network is what the file says";
  }
};

TEST_F(NetworkApplierCrashTest, ApplyIsFinishedOrUndone) {
  int n = 1;
  for (;; ++n) {
    SCOPED_TRACE(n);
    store_.emplace();
    node_.PutInForce(kOld);
    node_.staged = kNew;
    StartAgain();
    if (!DieAt(n, [&] { (void)Apply(); })) break;
    StartAgain();
    ExpectNothingLeft();
    const auto records = *store_->List(0, 10);
    if (node_.applied == kNew) {
      EXPECT_EQ(records.at(0).state, ApplyState::kCommitted);
      EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied));
    } else {
      EXPECT_EQ(node_.applied, kOld);
      EXPECT_EQ(node_.staged, kNew);
      if (!records.empty()) {
        EXPECT_EQ(records[0].state, ApplyState::kFailed);
        EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed));
      }
    }
    ASSERT_LT(n, 1000);
  }
  EXPECT_GT(n, 10);
}

TEST_F(NetworkApplierCrashTest, UndoIsFinished) {
  int n = 1;
  for (;; ++n) {
    SCOPED_TRACE(n);
    store_.emplace();
    node_.PutInForce(kOld);
    node_.staged = kNew;
    StartAgain();
    node_.reloads = {{.exit_code = 7}};
    const bool died = DieAt(n, [&] { (void)Apply(); });
    node_.reloads.clear();
    if (!died) break;
    StartAgain();
    ExpectNothingLeft();
    EXPECT_EQ(node_.applied, kOld);
    EXPECT_EQ(node_.staged, kNew);
    ASSERT_LT(n, 1000);
  }
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed));
}

TEST_F(NetworkApplierCrashTest, RevertOfTheUnconfirmedIsFinished) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE(n);
    store_.emplace();
    node_.PutInForce(kOld);
    node_.staged = kNew;
    StartAgain();
    ASSERT_TRUE(Apply({.confirm_timeout = seconds(5)}).ok());
    clock_.Advance(seconds(5));
    const bool died = DieAt(n, [&] { (void)applier_->GoOn(); });
    StartAgain();
    ASSERT_TRUE(applier_->GoOn().ok());
    ExpectNothingLeft();
    EXPECT_EQ(node_.applied, kOld);
    EXPECT_FALSE(node_.staged);
    EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kApplied, NoticeKind::kReverted));
    if (!died) break;
    ASSERT_LT(n, 1000);
  }
}

TEST_F(NetworkApplierCrashTest, RevertOfTheCommittedIsFinishedOrUndone) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE(n);
    store_.emplace();
    node_.PutInForce(kOld);
    node_.staged = kNew;
    StartAgain();
    ASSERT_TRUE(Apply().ok());
    const bool died = DieAt(n, [&] { (void)applier_->Revert({}, {}); });
    if (!died) break;
    StartAgain();
    EXPECT_THAT(*store_->UnderWay(), IsEmpty());
    EXPECT_TRUE(node_.applied == kOld || node_.applied == kNew);
    EXPECT_FALSE(node_.staged);
    ASSERT_LT(n, 1000);
  }
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkApplierCrashTest, FileThatOthersWroteAfterTheCrashIsLeft) {
  node_.reloads = {};
  ASSERT_TRUE(DieAt(1000, [] {}) == false);
  node_.during_reload = [] { throw Crash(); };
  EXPECT_THROW((void)Apply(), Crash);
  node_.during_reload = [] {};
  const std::string others = std::string(kNew) + "\tmtu 1300\n";
  node_.PutInForce(others);

  StartAgain();

  EXPECT_EQ(node_.applied, others);
  EXPECT_THAT(Notices(), ElementsAre(NoticeKind::kFailed, NoticeKind::kApplied));
  EXPECT_THAT((*store_->List(0, 10)).back().failure.message, HasSubstr("somebody else"));
}

}  // namespace
}  // namespace pvebus::network
