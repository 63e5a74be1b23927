// The disk refuses, by an error at one system call after the other and by being full for real: an apply is refused or undone,
// says why, and nothing is lost.
#include <filesystem>
#include <fstream>

#include "tests/integration/network_fault.h"
#include "tests/support/tiny_file_system.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using NetworkErrorTest = NetworkFaultFixture;

TEST_F(NetworkErrorTest, AnApplyThatTheDiskRefusesAnywhereIsRefusedOrUndoneAndToldOnce) {
  int refused = 0;
  int undone = 0;

  for (const char* error : {"ENOSPC", "EIO"}) {
    for (const char* call : {"flock", "linkat", "renameat", "unlinkat", "fsync", "fdatasync", "pwrite64"}) {
      bool happened = true;
      for (int n = 1; happened; ++n) {
        SCOPED_TRACE(absl::StrFormat("%s of %s number %d", error, call, n));
        ASSERT_LE(n, 200) << "it never ends";
        Stage();
        Fault fault(service_->process().pid(), call, absl::StrFormat("error=%s", error), n);
        const auto answer = ApplyStaged();
        happened = fault.Happened();
        WaitUntilQuiet();
        // What could not be cleared away is in nobody's way.
        std::filesystem::remove(folder_.Path(".interfaces.pvebus-old"));
        if (answer.ok()) {
          ExpectDone(network::v1::APPLY_SOURCE_PENDING);
        } else {
          EXPECT_NE(ErrorReason(answer.status()), "") << answer.status();
          const bool touched = Newest().apply_id() != newest_;
          ++(touched ? undone : refused);
          if (touched) {
            ExpectUndone(ErrorReason(answer.status()));
          } else {
            ExpectUntouched();
          }
        }
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GE(refused, 10);
  EXPECT_GE(undone, 10);
}

TEST_F(NetworkErrorTest, AnUndoThatTheDiskRefusesIsTriedAgainUntilItWorks) {
  folder_.SetIfreload("if [ -e broken ]; then rm broken; exit 3; fi");
  std::ofstream(folder_.Beside("broken")) << "once";
  Stage();
  {
    // The first two are before ifreload.
    const Fault fault(service_->process().pid(), "renameat", "error=EIO", 3, "+");
    const auto answer = ApplyStaged();
    EXPECT_THAT(answer.status(), IsError(StatusCode::kInternal, "UNDO_FAILED"));
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr("ifreload -a ended with 3"));
    EXPECT_EQ(folder_.Read("interfaces"), staged_);
    EXPECT_THAT(ApplyStaged().status(), IsError(StatusCode::kInternal, "UNDO_FAILED")) << "nothing else is begun";
  }

  WaitForState(Newest().apply_id(), network::v1::APPLY_STATE_FAILED);
  WaitUntilQuiet();
  ExpectUndone("RELOAD_FAILED");
}

class NetworkFullDiskTest : public NetworkFixture {
 protected:
  // What is in `folder` is on a disk that is small. To be called first.
  void MountAt(const std::string& folder) {
    std::filesystem::create_directories(folder);
    const std::string why = disk_.Mount(folder, 2);
    if (!why.empty()) GTEST_SKIP() << "NOT PROVEN: a full disk. No file system of its own for the test: " << why;
  }
  // ifreload leaves no room when it runs for the first time, and ends with this status.
  void FillInReload(int exit_code) {
    std::ofstream(folder_.Beside("fill")) << "once";
    folder_.SetIfreload(absl::StrFormat("if [ -e fill ]; then rm fill; cat /dev/zero > %s 2> /dev/null; echo filled; exit %d; fi",
                                        disk_.Ballast(), exit_code));
  }

  TinyFileSystem disk_;
};

TEST_F(NetworkFullDiskTest, WithoutRoomForTheHistoryAnApplyIsRefusedAndTheNextOneWorks) {
  MountAt(folder_.Beside("data"));
  if (IsSkipped()) return;
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  disk_.Fill();

  const auto refused = ApplyStaged();

  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted) << refused.status();
  EXPECT_NE(ErrorReason(refused.status()), "") << refused.status();
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  EXPECT_THAT(List(), IsEmpty()) << "reading goes on";
  disk_.MakeRoom();
  const auto applied = ApplyStaged();
  EXPECT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Kinds(), ElementsAre("network_applied"));
}

TEST_F(NetworkFullDiskTest, WithoutRoomToRecordItAnApplyIsUndoneAndThatIsRecordedWhenThereIsRoom) {
  MountAt(folder_.Beside("data"));
  if (IsSkipped()) return;
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  FillInReload(0);

  const auto undone = ApplyStaged();

  EXPECT_THAT(undone.status(), IsError(StatusCode::kInternal, "UNDO_FAILED"));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  EXPECT_EQ(folder_.InForce(), Interfaces(0));
  EXPECT_THAT(Kinds(), IsEmpty());
  disk_.MakeRoom();
  WaitForState(Newest().apply_id(), network::v1::APPLY_STATE_FAILED);
  WaitUntilQuiet();
  EXPECT_THAT(Kinds(), ElementsAre("network_apply_failed"));
  const auto applied = ApplyStaged();
  EXPECT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Kinds(), ElementsAre("network_apply_failed", "network_applied"));
}

TEST_F(NetworkFullDiskTest, WithoutRoomInTheFolderTheOldFileComesBack) {
  MountAt(folder_.path());
  if (IsSkipped()) return;
  folder_.Write("interfaces", Interfaces(0));
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  FillInReload(3);

  const auto undone = ApplyStaged();

  EXPECT_THAT(undone.status(), IsError(StatusCode::kFailedPrecondition, "RELOAD_FAILED"));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_EQ(folder_.Read("interfaces.new"), Interfaces(1));
  EXPECT_EQ(folder_.InForce(), Interfaces(0));
  WaitUntilQuiet();
  EXPECT_THAT(Kinds(), ElementsAre("network_apply_failed"));
}

TEST_F(NetworkFullDiskTest, WithoutRoomInTheFolderWhatWasCommittedIsTakenBackWhenThereIsRoomAgain) {
  MountAt(folder_.path());
  if (IsSkipped()) return;
  folder_.Write("interfaces", Interfaces(0));
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  disk_.Fill();
  const auto applied = ApplyStaged();
  ASSERT_TRUE(applied.ok()) << "what is there needs no room: " << applied.status();
  disk_.Fill();  // where the old file was

  EXPECT_THAT(Revert().status(), IsError(StatusCode::kResourceExhausted, "DISK_FULL"));

  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(1));
  EXPECT_EQ(Newest().apply_id(), applied->apply_id());
  disk_.MakeRoom();
  const auto reverted = Revert();
  EXPECT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_THAT(Kinds(), ElementsAre("network_applied", "network_applied"));
}

}  // namespace
}  // namespace pvebus::testing
