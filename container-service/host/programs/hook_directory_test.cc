#include "container-service/host/programs/hook_directory.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::container {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr uid_t kNobody = 65534;

class HookDirectoryTest : public ::testing::Test {
 protected:
  HookDirectoryTest() { chmod(directory().c_str(), 0755); }

  const std::string& directory() const { return temporary_.path(); }
  std::string Path(const std::string& name) const { return directory() + "/" + name; }

  void Write(const std::string& name, mode_t mode = 0755) const {
    std::ofstream(Path(name)) << "#!/bin/sh\n";
    ASSERT_EQ(chmod(Path(name).c_str(), mode), 0);
  }
  // The refusal of the only program.
  std::string Refusal() const {
    const auto programs = ListHookPrograms(directory());
    if (!programs.ok()) return programs.status().ToString();
    return programs->size() == 1 ? programs->front().refusal : absl::StrFormat("%d programs", programs->size());
  }

 private:
  const testing::TemporaryDirectory temporary_;
};

TEST_F(HookDirectoryTest, ProgramsAreSortedByBytes) {
  for (const char* name : {"b", "B", "10-x", "9-x", "_x", "a"}) Write(name);

  const auto programs = ListHookPrograms(directory());

  ASSERT_TRUE(programs.ok()) << programs.status();
  EXPECT_THAT(*programs, ElementsAre(HookProgramFile{"10-x", Path("10-x"), ""}, HookProgramFile{"9-x", Path("9-x"), ""},
                                     HookProgramFile{"B", Path("B"), ""}, HookProgramFile{"_x", Path("_x"), ""},
                                     HookProgramFile{"a", Path("a"), ""}, HookProgramFile{"b", Path("b"), ""}));
}

TEST_F(HookDirectoryTest, AMissingDirectoryHasNoPrograms) {
  const auto programs = ListHookPrograms(Path("missing"));

  ASSERT_TRUE(programs.ok()) << programs.status();
  EXPECT_THAT(*programs, IsEmpty());
}

TEST_F(HookDirectoryTest, WhatIsNoDirectoryCannotBeRead) {
  Write("file");

  const absl::Status status = ListHookPrograms(Path("file")).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "HOOKS_DIR_UNREADABLE");
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(Path("file")), HasSubstr("Not a directory")));
}

TEST_F(HookDirectoryTest, WhatOthersLeaveBehindIsIgnored) {
  for (const char* name : {".hidden", ".a.swp", "a~", "a.dpkg-old", "a.dpkg-dist", "a.dpkg-new", "a.dpkg-tmp", "a.ucf-dist",
                           "a.rpmsave", "a.rpmnew", "a.rpmorig"}) {
    Write(name);
  }
  fs::create_directory(Path("subdirectory"));
  fs::create_symlink("subdirectory", Path("link-to-it"));

  EXPECT_THAT(*ListHookPrograms(directory()), IsEmpty());
}

TEST_F(HookDirectoryTest, ANameThatRunPartsWouldNotTakeIsRefused) {
  Write("10-dns.sh");
  EXPECT_EQ(Refusal(), "its name has a '.': run-parts names have letters, digits, - and _ only");
  fs::rename(Path("10-dns.sh"), Path("10 dns"));
  EXPECT_THAT(Refusal(), StartsWith("its name has a blank: "));
  fs::rename(Path("10 dns"), Path("10-d\xc3\xa9"));
  EXPECT_THAT(Refusal(), StartsWith("its name has a byte 0xc3: "));
}

TEST_F(HookDirectoryTest, ALongNameIsRefused) {
  Write(std::string(200, 'a'));
  EXPECT_EQ(Refusal(), "");
  fs::rename(Path(std::string(200, 'a')), Path(std::string(201, 'a')));
  EXPECT_EQ(Refusal(), "its name has 201 bytes: 200 are the most");
}

TEST_F(HookDirectoryTest, WhatIsNotExecutableIsRefused) {
  Write("a", 0644);

  EXPECT_EQ(Refusal(), "it is not executable (mode 0644): make it so (chmod +x)");
}

TEST_F(HookDirectoryTest, WhatOthersMayWriteIsRefused) {
  Write("a", 0757);

  EXPECT_EQ(Refusal(), "everybody may write it (mode 0757): only its owner may (chmod go-w)");
}

TEST_F(HookDirectoryTest, WhatAGroupOtherThanRootMayWriteIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "NOT PROVEN: only root gives files away";
  Write("a", 0775);
  EXPECT_EQ(Refusal(), "");
  ASSERT_EQ(chown(Path("a").c_str(), 0, 50), 0);
  chmod(Path("a").c_str(), 0775);

  EXPECT_EQ(Refusal(), "the group with id 50 may write it (mode 0775): only its owner may (chmod go-w)");
}

TEST_F(HookDirectoryTest, WhatBelongsToAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "NOT PROVEN: only root gives files away";
  Write("a");
  ASSERT_EQ(chown(Path("a").c_str(), kNobody, 0), 0);

  EXPECT_EQ(Refusal(), "it belongs to the user with id 65534: it must belong to root (chown root)");
}

// What a process of another user sees, by exit statuses: 1 a program of its own is refused, 2 one of root's, 3 one of a third
// user's is not, 4 one that it may not execute is not.
int WhatNobodySees(const std::string& directory) {
  if (setgid(kNobody) != 0 || setuid(kNobody) != 0) return 100;
  const auto programs = ListHookPrograms(directory);
  if (!programs.ok() || programs->size() != 4) return 101;
  if (!(*programs)[0].refusal.empty()) return 1;
  if (!(*programs)[1].refusal.empty()) return 2;
  if ((*programs)[2].refusal.find("root, or to the user with id 65534 that runs it") == std::string::npos) return 3;
  if ((*programs)[3].refusal.find("the user with id 65534 may not execute it (mode 0744)") != 0) return 4;
  return 0;
}

TEST_F(HookDirectoryTest, AProcessOfAnotherUserRunsThatUsersProgramsToo) {
  if (geteuid() != 0) GTEST_SKIP() << "NOT PROVEN: only root becomes another user";
  for (const char* name : {"a-own", "b-root", "c-third"}) Write(name);
  Write("d-root-only", 0744);
  ASSERT_EQ(chown(Path("a-own").c_str(), kNobody, 0), 0);
  ASSERT_EQ(chown(Path("c-third").c_str(), 1234, 0), 0);

  const pid_t child = fork();
  if (child == 0) _exit(WhatNobodySees(directory()));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);

  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(HookDirectoryTest, WhatIsNoRegularFileIsRefused) {
  ASSERT_EQ(mkfifo(Path("a").c_str(), 0700), 0);

  EXPECT_EQ(Refusal(), "it is not a regular file: a hook program is one, or a symbolic link to one");
}

TEST_F(HookDirectoryTest, ASymbolicLinkIsFollowed) {
  fs::create_symlink("/bin/true", Path("a"));
  EXPECT_EQ(Refusal(), "");
  fs::remove(Path("a"));
  fs::create_symlink("/nowhere/x", Path("a"));
  EXPECT_THAT(Refusal(), AllOf(StartsWith("it is a symbolic link to /nowhere/x, "), HasSubstr("No such file")));
  fs::remove(Path("a"));
  fs::create_symlink("a", Path("a"));
  EXPECT_THAT(Refusal(), StartsWith("it is a symbolic link to a, which cannot be followed"));
}

TEST_F(HookDirectoryTest, InADirectoryThatOthersMayWriteEveryProgramIsRefused) {
  Write("a");
  Write("b.sh");
  chmod(directory().c_str(), 01777);

  const std::string refusal = absl::StrFormat(
      "nothing in %s may run: everybody may write it (mode 1777): only its owner may "
      "(chmod go-w)",
      directory());
  EXPECT_THAT(*ListHookPrograms(directory()),
              ElementsAre(Field(&HookProgramFile::refusal, refusal), Field(&HookProgramFile::refusal, refusal)));
}

TEST_F(HookDirectoryTest, InADirectoryOfAnotherUserEveryProgramIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "NOT PROVEN: only root gives files away";
  Write("a");
  ASSERT_EQ(chown(directory().c_str(), kNobody, 0), 0);

  EXPECT_THAT(Refusal(), StartsWith(absl::StrFormat("nothing in %s may run: it belongs to the user with id 65534", directory())));
}

TEST_F(HookDirectoryTest, OfThoseThatMayRunTheFirst200Do) {
  Write("000.sh");
  for (int i = 0; i < 202; ++i) Write(absl::StrFormat("%03d", i));

  const auto programs = ListHookPrograms(directory());

  ASSERT_EQ(programs->size(), 203u);
  EXPECT_EQ((*programs)[200].name, "199");
  EXPECT_EQ((*programs)[200].refusal, "");
  EXPECT_EQ((*programs)[201].refusal, "200 programs stand before it in its directory: they are the most that run");
  EXPECT_NE((*programs)[202].refusal, "");
}

}  // namespace
}  // namespace pvebus::container
