// network-service is killed at one system call of an apply after the other: the old configuration or the new one, and the bus is
// told once.
#include "tests/integration/network_fault.h"

namespace pvebus::testing {
namespace {

using NetworkKillTest = NetworkFaultFixture;

TEST_F(NetworkKillTest, AnApplyThatIsKilledAnywhereIsDoneOrUndoneAndToldOnce) {
  int undone = 0;
  int done = 0;

  KillEverywhere([&] { Stage(); }, [&] { return ApplyStaged().status(); },
                 [&](const absl::Status& answer) {
                   if (folder_.Read("interfaces") == staged_) {
                     ++done;
                     ExpectDone(network::v1::APPLY_SOURCE_PENDING);
                     return;
                   }
                   EXPECT_FALSE(answer.ok()) << "it was said to be in force";
                   if (Newest().apply_id() == newest_) {
                     ExpectUntouched();
                   } else {
                     ++undone;
                     ExpectUndone("INTERRUPTED");
                   }
                 });

  EXPECT_GE(undone, 20);
  EXPECT_GE(done, 20);
}

TEST_F(NetworkKillTest, WhatTakesACommittedApplyBackIsDoneOrUndoneWhereverItIsKilled) {
  int undone = 0;
  int done = 0;

  KillEverywhere(
      [&] {
        Stage();
        ASSERT_TRUE(ApplyStaged().ok());
        Remember();
      },
      [&] { return Revert().status(); },
      [&](const absl::Status& answer) {
        if (folder_.Read("interfaces") == before_old_) {
          ++done;
          ExpectDone(network::v1::APPLY_SOURCE_REVERT);
          return;
        }
        EXPECT_FALSE(answer.ok()) << "it was said to be in force";
        if (Newest().apply_id() == newest_) {
          ExpectUntouched();
          ExpectTidy({"interfaces"});
        } else {
          ++undone;
          ExpectUndone("INTERRUPTED");
        }
      });

  EXPECT_GE(undone, 20);
  EXPECT_GE(done, 20);
}

}  // namespace
}  // namespace pvebus::testing
