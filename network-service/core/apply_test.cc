#include "network-service/core/apply.h"

#include "gtest/gtest.h"

namespace pvebus::network {
namespace {

TEST(ApplyTest, EachKindOfNoticeHasItsRequestId) {
  EXPECT_EQ(RequestIdOf(NoticeKind::kApplied, "ab12"), "network-applied/ab12");
  EXPECT_EQ(RequestIdOf(NoticeKind::kReverted, "ab12"), "network-reverted/ab12");
  EXPECT_EQ(RequestIdOf(NoticeKind::kFailed, "ab12"), "network-apply-failed/ab12");
}

TEST(ApplyTest, IsUnderWayUntilItHasItsLastState) {
  for (const ApplyState state : {ApplyState::kApplying, ApplyState::kAwaitingConfirmation, ApplyState::kReverting}) {
    EXPECT_TRUE(IsUnderWay(state)) << NameOf(state);
  }
  for (const ApplyState state : {ApplyState::kCommitted, ApplyState::kReverted, ApplyState::kFailed, ApplyState::kUndoFailed}) {
    EXPECT_FALSE(IsUnderWay(state)) << NameOf(state);
  }
}

TEST(ApplyTest, StatesAndSourcesHaveNames) {
  EXPECT_EQ(NameOf(ApplyState::kApplying), "APPLYING");
  EXPECT_EQ(NameOf(ApplyState::kAwaitingConfirmation), "AWAITING_CONFIRMATION");
  EXPECT_EQ(NameOf(ApplyState::kReverting), "REVERTING");
  EXPECT_EQ(NameOf(ApplyState::kCommitted), "COMMITTED");
  EXPECT_EQ(NameOf(ApplyState::kReverted), "REVERTED");
  EXPECT_EQ(NameOf(ApplyState::kFailed), "FAILED");
  EXPECT_EQ(NameOf(ApplyState::kUndoFailed), "UNDO_FAILED");
  EXPECT_EQ(NameOf(ApplySource::kPending), "PENDING");
  EXPECT_EQ(NameOf(ApplySource::kRevert), "REVERT");
  EXPECT_EQ(NameOf(ApplySource::kSdn), "SDN");
  EXPECT_EQ(NameOf(ApplySource::kFile), "FILE");
  EXPECT_EQ(NameOf(ApplySource::kRestart), "RESTART");
}

}  // namespace
}  // namespace pvebus::network
