// network-service is killed at one system call of what ends an apply after the other: when it is taken back, confirmed, or when
// an earlier process had been killed in the middle of it.
#include <sys/file.h>

#include <memory>

#include "tests/integration/network_fault.h"

namespace pvebus::testing {
namespace {

using ::testing::ElementsAre;

using NetworkRecoveryTest = NetworkFaultFixture;

TEST_F(NetworkRecoveryTest, ARecoveryThatIsKilledAnywhereIsFinishedByTheNextProcess) {
  Fd proxmox_lock;
  int killed = 0;

  KillEverywhere(
      [&] {
        Stage();
        ReloadGate gate(folder_);
        auto answer = ApplyLater();
        gate.WaitReached();
        Kill();
        answer.wait();
        gate.Open();
        // The next process undoes nothing until it has this lock.
        proxmox_lock = Fd(open(folder_.Path(".pve-interfaces.lock").c_str(), O_RDWR | O_CLOEXEC));
        ASSERT_EQ(flock(proxmox_lock.get(), LOCK_EX), 0);
        service_ = std::make_unique<NetworkProcess>(folder_, BusAddress(), std::vector<std::string>(), AsRoot());
      },
      [&] {
        proxmox_lock = Fd();
        absl::Status answer;
        WaitFor(
            "the end of the recovery", [&] { return !absl::IsAborted(answer = Probe()); }, kPatience);
        killed += absl::IsUnavailable(answer) ? 1 : 0;
        return answer;
      },
      [&](const absl::Status&) { ExpectUndone("INTERRUPTED"); });

  EXPECT_GE(killed, 20);
}

TEST_F(NetworkRecoveryTest, ARevertBeforeConfirmationThatIsKilledAnywhereIsDoneOrAsksAgain) {
  int reverted = 0;
  int awaiting = 0;

  KillEverywhere(
      [&] {
        Stage();
        const auto apply = ApplyStaged(WithConfirmation(std::chrono::hours(1)));
        ASSERT_TRUE(apply.ok()) << apply.status();
        newest_ = apply->apply_id();
      },
      [&] { return Revert().status(); },
      [&](const absl::Status& answer) {
        const Apply apply = Newest();
        ASSERT_EQ(apply.apply_id(), newest_);
        if (apply.state() == network::v1::APPLY_STATE_AWAITING_CONFIRMATION) {
          ++awaiting;
          EXPECT_FALSE(answer.ok()) << "it was said to be taken back";
          EXPECT_EQ(folder_.Read("interfaces"), staged_);
          EXPECT_EQ(folder_.Read("interfaces.new"), kNone);
          EXPECT_EQ(folder_.InForce(), staged_);
          EXPECT_THAT(ToldSince(), ElementsAre("network_applied"));
          const auto again = Revert();
          ASSERT_TRUE(again.ok()) << again.status();
          WaitUntilQuiet();
        } else {
          ++reverted;
          EXPECT_EQ(apply.state(), network::v1::APPLY_STATE_REVERTED);
          EXPECT_EQ(apply.error().reason(), "REVERTED");
        }
        EXPECT_EQ(folder_.Read("interfaces"), old_);
        EXPECT_EQ(folder_.Read("interfaces.pvebus-reverted"), staged_);
        EXPECT_THAT(ToldSince(), ElementsAre("network_applied", "network_reverted"));
        ExpectTidy({"interfaces", "interfaces.pvebus-reverted"});
      });

  EXPECT_GE(reverted, 20);
  EXPECT_GE(awaiting, 3);
}

TEST_F(NetworkRecoveryTest, AConfirmationThatIsKilledAnywhereIsKeptOrAskedForAgain) {
  KillEverywhere(
      [&] {
        Stage();
        const auto apply = ApplyStaged(WithConfirmation(std::chrono::hours(1)));
        ASSERT_TRUE(apply.ok()) << apply.status();
        newest_ = apply->apply_id();
      },
      [&] { return Confirm().status(); },
      [&](const absl::Status& answer) {
        if (Newest().state() != network::v1::APPLY_STATE_COMMITTED) {
          EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_AWAITING_CONFIRMATION);
          EXPECT_FALSE(answer.ok()) << "it was said to be kept";
          const auto again = Confirm();
          ASSERT_TRUE(again.ok()) << again.status();
        }
        EXPECT_EQ(Newest().apply_id(), newest_);
        EXPECT_EQ(Newest().state(), network::v1::APPLY_STATE_COMMITTED);
        EXPECT_EQ(folder_.Read("interfaces"), staged_);
        EXPECT_THAT(ToldSince(), ElementsAre("network_applied"));
        ExpectTidy({"interfaces"});
      });
}

}  // namespace
}  // namespace pvebus::testing
