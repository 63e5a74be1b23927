#include "sdk/posix/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_directory.h"

namespace pvebus {
namespace {

using ::testing::UnorderedElementsAre;

class FilesTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(FilesTest, AFileIsReadUpToTheLimit) {
  const std::string bytes = std::string(100'000, 'x') + std::string("\0\xff", 2);
  const std::string file = Write("file", bytes);

  EXPECT_EQ(*ReadFile(file, bytes.size() + 1), bytes);
  EXPECT_EQ(*ReadFile(file, bytes.size()), bytes);
  EXPECT_EQ(*ReadFile(file, 70'000), bytes.substr(0, 70'000));
  EXPECT_EQ(*ReadFile(Write("empty", ""), 10), "");
}

TEST_F(FilesTest, WhatCannotBeReadSaysWhy) {
  EXPECT_EQ(ReadFile(Path("gone"), 10).status(), absl::NotFoundError("there is no such file"));
  EXPECT_EQ(ReadFile(directory_.path(), 10).status(), absl::UnavailableError("Is a directory"));
  EXPECT_EQ(ReadFile(Write("file", "") + "/below", 10).status(), absl::UnavailableError("Not a directory"));
}

TEST_F(FilesTest, OnlyWhoAsksForItReadsAPipe) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);

  EXPECT_EQ(ReadFile(Path("pipe"), 10).status(), absl::UnavailableError("it is neither a file nor a link to one"));
  EXPECT_EQ(*ReadFile("/dev/zero", 2, FileKind::kAny), std::string(2, '\0'));
}

TEST_F(FilesTest, OfAPatternAndOfAFolderOnlyFilesAreTold) {
  Write("b.conf", "");
  Write("other", "");
  std::filesystem::create_directory(Path("c.conf"));
  std::filesystem::create_symlink("b.conf", Path("a.conf"));
  std::filesystem::create_symlink("gone", Path("d.conf"));

  EXPECT_THAT(FilesLike(Path("*.conf")), UnorderedElementsAre(Path("a.conf"), Path("b.conf")));
  EXPECT_THAT(FilesLike(Path("*.none")), UnorderedElementsAre());
  EXPECT_THAT(*FilesIn(directory_.path()), UnorderedElementsAre("a.conf", "b.conf", "other"));
  EXPECT_EQ(FilesIn(Path("gone")).status(), absl::NotFoundError("there is no such file"));
}

}  // namespace
}  // namespace pvebus
