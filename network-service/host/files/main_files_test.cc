#include "network-service/host/files/main_files.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "absl/strings/str_format.h"
#include "network-service/core/interfaces_reader.h"
#include "network-service/host/testing/killed_child.h"
#include "network-service/host/testing/temporary_network.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using Keep = NetworkNode::Keep;

constexpr const char* kOld = "auto lo\niface lo inet loopback\n";
constexpr const char* kNew = "auto lo\niface lo inet loopback\n\tmtu 65536\n";

void ExpectSameFile(const struct stat& a, const struct stat& b) {
  EXPECT_EQ(a.st_ino, b.st_ino);
  EXPECT_EQ(a.st_mode, b.st_mode);
  EXPECT_EQ(a.st_uid, b.st_uid);
  EXPECT_EQ(a.st_gid, b.st_gid);
  EXPECT_EQ(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
  EXPECT_EQ(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
}

class MainFilesTest : public ::testing::Test {
 protected:
  // The old file, of a look that no other has.
  struct stat WriteOld(const TemporaryNetwork& network) const {
    const std::string path = network.Write("interfaces", kOld);
    EXPECT_EQ(chmod(path.c_str(), 0640), 0);
    if (geteuid() == 0) {
      EXPECT_EQ(chown(path.c_str(), 1234, 4321), 0);
    }
    const timespec then{.tv_sec = 1'000'000'000, .tv_nsec = 123};
    const timespec times[] = {then, then};
    EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    return network.About("interfaces");
  }
  // As an apply does it.
  void Apply() const {
    ASSERT_TRUE(files_.KeepOld().ok());
    ASSERT_TRUE(files_.Install(Candidate::kStaged).ok());
    ASSERT_EQ(network_.Read("interfaces"), kNew);
  }

  TemporaryNetwork network_;
  const MainFiles files_{network_.path()};
};

TEST_F(MainFilesTest, BothMainFilesAreRead) {
  EXPECT_EQ(files_.Read()->applied, std::nullopt);
  EXPECT_EQ(files_.Read()->staged, std::nullopt);

  network_.Write("interfaces", kOld);
  network_.Write("interfaces.new", "");

  EXPECT_EQ(files_.Read()->applied, kOld);
  EXPECT_EQ(files_.Read()->staged, "");
}

TEST_F(MainFilesTest, AMainFileThatCannotBeReadAsAWholeIsAnError) {
  network_.Write("interfaces", std::string(kMostFileBytes, '#'));
  EXPECT_TRUE(files_.Read().ok());

  network_.Write("interfaces", std::string(kMostFileBytes + 1, '#'));
  EXPECT_THAT(files_.Read().status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
  std::filesystem::remove(network_.Path("interfaces"));
  std::filesystem::create_directory(network_.Path("interfaces"));
  EXPECT_THAT(files_.Read().status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
}

TEST_F(MainFilesTest, WhatIsStagedBecomesTheMainFile) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  const auto staged = network_.About("interfaces.new");

  Apply();

  ExpectSameFile(network_.About("interfaces"), staged);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces", ".interfaces.pvebus-old"));
  EXPECT_TRUE(files_.DropOld().ok());
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces"));
}

TEST_F(MainFilesTest, WithoutACandidateNothingIsInstalled) {
  network_.Write("interfaces", kOld);
  const absl::Status status = files_.Install(Candidate::kStaged);

  EXPECT_THAT(status, IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nothing is staged"));
  EXPECT_THAT(files_.Install(Candidate::kRevert), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
  EXPECT_EQ(network_.Read("interfaces"), kOld);
}

TEST_F(MainFilesTest, TheCandidateOfARevertLooksLikeTheMainFile) {
  const auto old = WriteOld(network_);

  ASSERT_TRUE(files_.PutRevertCandidate(kNew).ok());

  const auto candidate = network_.About(".interfaces.pvebus-candidate");
  EXPECT_EQ(candidate.st_mode, old.st_mode);
  EXPECT_EQ(candidate.st_uid, old.st_uid);
  EXPECT_EQ(candidate.st_gid, old.st_gid);
  ASSERT_TRUE(files_.KeepOld().ok());
  ASSERT_TRUE(files_.Install(Candidate::kRevert).ok());
  EXPECT_EQ(network_.Read("interfaces"), kNew);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces", ".interfaces.pvebus-old"));
}

TEST_F(MainFilesTest, WhatIsNotNeededIsLetGo) {
  network_.Write("interfaces", kOld);
  ASSERT_TRUE(files_.KeepOld().ok());
  ASSERT_TRUE(files_.PutRevertCandidate(kNew).ok());

  EXPECT_TRUE(files_.DropOld().ok());
  EXPECT_TRUE(files_.DropOld().ok());

  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces"));
}

TEST_F(MainFilesTest, WhatAnEarlierProcessKeptIsReplaced) {
  network_.Write(".interfaces.pvebus-old", "stale");
  EXPECT_TRUE(files_.KeepOld().ok());
  EXPECT_THAT(network_.Names(), UnorderedElementsAre());

  network_.Write(".interfaces.pvebus-old", "stale");
  network_.Write("interfaces", kOld);
  EXPECT_TRUE(files_.KeepOld().ok());
  EXPECT_EQ(network_.Read(".interfaces.pvebus-old"), kOld);
}

TEST_F(MainFilesTest, TheVeryFileComesBack) {
  const auto old = WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  Apply();

  EXPECT_TRUE(files_.Restore(kOld, Keep::kNot).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  ExpectSameFile(network_.About("interfaces"), old);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces"));
}

TEST_F(MainFilesTest, WhatWasAppliedIsStagedAgain) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  const auto staged = network_.About("interfaces.new");
  Apply();

  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsStaged).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  EXPECT_EQ(network_.Read("interfaces.new"), kNew);
  ExpectSameFile(network_.About("interfaces.new"), staged);
}

TEST_F(MainFilesTest, WhatSomebodyStagedMeanwhileIsLeftAlone) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  Apply();
  network_.Write("interfaces.new", "later");

  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsStaged).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  EXPECT_EQ(network_.Read("interfaces.new"), "later");
}

TEST_F(MainFilesTest, WhatWasRevertedIsKeptInPlaceOfWhatWasBefore) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  network_.Write("interfaces.pvebus-reverted", "reverted before");
  Apply();

  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsReverted).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  EXPECT_EQ(network_.Read("interfaces.pvebus-reverted"), kNew);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces", "interfaces.pvebus-reverted"));
}

TEST_F(MainFilesTest, WhatCannotBeKeptDoesNotHinder) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  Apply();
  std::filesystem::create_directories(network_.Path("interfaces.pvebus-reverted"));

  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsReverted).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces", "interfaces.pvebus-reverted"));
}

TEST_F(MainFilesTest, WithoutWhatWasKeptTheBytesComeBack) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  Apply();
  std::filesystem::remove(network_.Path(".interfaces.pvebus-old"));

  EXPECT_TRUE(files_.Restore(kOld, Keep::kNot).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  EXPECT_EQ(network_.About("interfaces").st_mode & 07777, 0644u);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces"));
}

TEST_F(MainFilesTest, WhatWasKeptAndWrittenIntoIsNotBroughtBack) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  ASSERT_TRUE(files_.KeepOld().ok());
  network_.Write("interfaces", "written into by an editor");
  ASSERT_TRUE(files_.Install(Candidate::kStaged).ok());

  EXPECT_TRUE(files_.Restore(kOld, Keep::kNot).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces"));
}

TEST_F(MainFilesTest, WhereNoFileWasThereIsNoneAgain) {
  network_.Write("interfaces.new", kNew);
  Apply();

  EXPECT_TRUE(files_.Restore(std::nullopt, Keep::kAsStaged).ok());
  EXPECT_TRUE(files_.Restore(std::nullopt, Keep::kAsStaged).ok());

  EXPECT_EQ(network_.Read("interfaces.new"), kNew);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces.new"));
}

TEST_F(MainFilesTest, ARestoreThatIsDoneDoesNothingAgain) {
  WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  Apply();
  ASSERT_TRUE(files_.Restore(kOld, Keep::kAsReverted).ok());
  const auto restored = network_.About("interfaces");

  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsReverted).ok());

  ExpectSameFile(network_.About("interfaces"), restored);
  EXPECT_EQ(network_.Read("interfaces.pvebus-reverted"), kNew);
}

TEST_F(MainFilesTest, WhatWasNotInstalledYetOnlyLetsGo) {
  const auto old = WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  ASSERT_TRUE(files_.KeepOld().ok());

  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsReverted).ok());

  ExpectSameFile(network_.About("interfaces"), old);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces", "interfaces.new"));
}

TEST_F(MainFilesTest, ASymbolicLinkComesBackAsOne) {
  network_.Write("target", kOld);
  std::filesystem::create_symlink("target", network_.Path("interfaces"));
  network_.Write("interfaces.new", kNew);
  Apply();

  EXPECT_TRUE(files_.Restore(kOld, Keep::kNot).ok());

  EXPECT_EQ(std::filesystem::read_symlink(network_.Path("interfaces")), "target");
  EXPECT_EQ(network_.Read("target"), kOld);
}

TEST_F(MainFilesTest, WithoutTheFolderNothingCanBeWritten) {
  const MainFiles files(network_.Path("gone"));

  for (const absl::Status& status :
       {files.KeepOld(), files.Restore(kOld, Keep::kNot), files.DropOld(), files.PutRevertCandidate("")}) {
    EXPECT_THAT(status, IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE"));
  }
}

// An apply that is undone, by a process that dies between any two of its system calls. The next process only undoes.
TEST_F(MainFilesTest, WhateverAnApplyDiedOfTheOldFileComesBack) {
  for (const Keep keep : {Keep::kAsStaged, Keep::kAsReverted}) {
    ChildEnd end = ChildEnd::kKilled;
    for (int call = 0; end == ChildEnd::kKilled; ++call) {
      SCOPED_TRACE(absl::StrFormat("killed at %d", call));
      TemporaryNetwork network;
      const auto old = WriteOld(network);
      network.Write("interfaces.new", kNew);
      const MainFiles files(network.path());

      end = RunAndKillAt(call, [&] {
        files.KeepOld().IgnoreError();
        files.Install(Candidate::kStaged).IgnoreError();
        files.Restore(kOld, keep).IgnoreError();
      });
      if (end == ChildEnd::kNotTraceable) GTEST_SKIP() << "this process may not trace another";
      EXPECT_THAT(network.Read("interfaces"), AnyOf(kOld, kNew));
      EXPECT_TRUE(files.Restore(kOld, keep).ok());

      EXPECT_EQ(network.Read("interfaces"), kOld);
      ExpectSameFile(network.About("interfaces"), old);
      if (keep == Keep::kAsStaged) {
        EXPECT_EQ(network.Read("interfaces.new"), kNew);
        EXPECT_THAT(network.Names(), UnorderedElementsAre("interfaces", "interfaces.new"));
      } else {
        EXPECT_EQ(network.Read(network.Has("interfaces.new") ? "interfaces.new" : "interfaces.pvebus-reverted"), kNew);
        EXPECT_THAT(network.Names(), AnyOf(UnorderedElementsAre("interfaces", "interfaces.new"),
                                           UnorderedElementsAre("interfaces", "interfaces.pvebus-reverted")));
      }
      if (HasFailure()) return;
    }
  }
}

TEST_F(MainFilesTest, OnAFullDiskTheOldFileComesBack) {
  if (mount("tmpfs", network_.path().c_str(), "tmpfs", 0, "size=16k") != 0) GTEST_SKIP() << "this process may not mount a tmpfs";
  const auto old = WriteOld(network_);
  network_.Write("interfaces.new", kNew);
  Apply();
  network_.Write("filler", std::string(1 << 16, 'x'));

  EXPECT_THAT(files_.PutRevertCandidate(kNew), IsError(StatusCode::kResourceExhausted, "DISK_FULL"));
  EXPECT_TRUE(files_.Restore(kOld, Keep::kAsStaged).ok());

  EXPECT_EQ(network_.Read("interfaces"), kOld);
  ExpectSameFile(network_.About("interfaces"), old);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("interfaces", "interfaces.new", "filler"));
  umount(network_.path().c_str());
}

}  // namespace
}  // namespace pvebus::network
