#include "sdk/hooks/data_directory.h"

#include <sys/stat.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::hooks {
namespace {

using ::testing::HasSubstr;

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

TEST(DataDirectoryTest, IsMadeWithItsParentsAndIsPrivate) {
  testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/a/b";

  const auto taken = DataDirectory::Take(path + "/");

  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ((*taken)->path(), path);
  EXPECT_EQ(ModeOf(path), 0700u);
  EXPECT_EQ((*taken)->MakeFile("x").value(), path + "/x");
  EXPECT_EQ(ModeOf(path + "/x"), 0600u);
}

TEST(DataDirectoryTest, HasOneOwnerAtATime) {
  testing::TemporaryDirectory directory;
  auto first = DataDirectory::Take(directory.path());
  ASSERT_TRUE(first.ok()) << first.status();

  const auto second = DataDirectory::Take(directory.path());

  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(second.status()), "DATA_DIR_IN_USE");
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(directory.path()));
  first->reset();
  EXPECT_TRUE(DataDirectory::Take(directory.path()).ok());
}

TEST(DataDirectoryTest, WhatCannotBeMadeIsNamedWithWhatToDo) {
  testing::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";

  for (const std::string& path :
       {directory.path() + "/file", directory.path() + "/file/below/it", std::string("/proc/none/here")}) {
    const auto taken = DataDirectory::Take(path);
    ASSERT_FALSE(taken.ok()) << path;
    EXPECT_EQ(ErrorReason(taken.status()), "DATA_DIR_UNUSABLE") << path;
    EXPECT_THAT(std::string(taken.status().message()), HasSubstr("--data-dir")) << path;
  }
}

}  // namespace
}  // namespace pvebus::hooks
