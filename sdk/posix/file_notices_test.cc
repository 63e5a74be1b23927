#include "sdk/posix/file_notices.h"

#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "tests/support/temporary_directory.h"

namespace pvebus {
namespace {

// The kernel has made its notice when the call that changes something returns.
class FileNoticesTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  void Write(const std::string& name) const { std::ofstream(Path(name)) << "text"; }
  void MakeFolder(const std::string& name) const { std::filesystem::create_directories(Path(name)); }

  const testing::TemporaryDirectory directory_;
  FileNotices notices_;
};

TEST_F(FileNoticesTest, WhatHappensInAFolderIsNoticedOnce) {
  notices_.Watch({directory_.path()});
  EXPECT_FALSE(notices_.Take());

  Write("file");
  EXPECT_TRUE(notices_.Take());
  EXPECT_FALSE(notices_.Take());
  std::filesystem::rename(Path("file"), Path("other"));
  EXPECT_TRUE(notices_.Take());
  std::filesystem::remove(Path("other"));
  EXPECT_TRUE(notices_.Take());
}

TEST_F(FileNoticesTest, NamesThatDoNotCountAreNoNotice) {
  notices_.Watch({directory_.path()});
  const auto counts = [](std::string_view name) { return name != "lock"; };

  Write("lock");
  EXPECT_FALSE(notices_.Take(counts));
  Write("lock");
  Write("file");
  EXPECT_TRUE(notices_.Take(counts));
}

TEST_F(FileNoticesTest, FolderMayComeAndGo) {
  const auto watch = [&] { notices_.Watch({Path("a/b")}); };
  watch();

  for (const char* step : {"a", "a/b"}) {
    MakeFolder(step);
    EXPECT_TRUE(notices_.Take()) << step;
    watch();
  }
  Write("a/b/file");
  EXPECT_TRUE(notices_.Take());
  std::filesystem::remove_all(Path("a"));
  EXPECT_TRUE(notices_.Take());
  watch();
  EXPECT_FALSE(notices_.Take());
  MakeFolder("a");
  EXPECT_TRUE(notices_.Take());
}

TEST_F(FileNoticesTest, FoldersInEachOtherAreBothWatched) {
  MakeFolder("a/b");
  for (const auto& folders : {std::vector{Path("a"), Path("a/b")}, std::vector{Path("a/b"), Path("a")}}) {
    notices_.Watch(folders);
    notices_.Watch(folders);
    notices_.Take();

    Write("a/file");
    EXPECT_TRUE(notices_.Take());
    Write("a/b/file");
    EXPECT_TRUE(notices_.Take());
    Write("file");
    EXPECT_FALSE(notices_.Take());
  }
}

TEST_F(FileNoticesTest, WhatIsNotWatchedAnyMoreIsNotNoticed) {
  MakeFolder("a");
  MakeFolder("b");
  notices_.Watch({Path("a"), Path("gone")});
  notices_.Watch({Path("b")});

  EXPECT_FALSE(notices_.Take());
  Write("a/file");
  MakeFolder("other");
  EXPECT_FALSE(notices_.Take());
  Write("b/file");
  EXPECT_TRUE(notices_.Take());
}

TEST_F(FileNoticesTest, WhatWasNoticedBeforeTheLookIsNotToldOfAnyMore) {
  MakeFolder("a/b");
  notices_.Watch({Path("a/c")});
  Write("a/file");

  notices_.Watch({Path("a/b")});

  EXPECT_FALSE(notices_.Take());
}

TEST_F(FileNoticesTest, AFolderThatIsReplacedByAnotherIsWatchedWhenLookedForAgain) {
  MakeFolder("a");
  notices_.Watch({Path("a")});

  std::filesystem::rename(Path("a"), Path("old"));
  MakeFolder("a");
  EXPECT_TRUE(notices_.Take());
  notices_.Watch({Path("a")});
  notices_.Take();
  Write("old/file");
  EXPECT_FALSE(notices_.Take());
  Write("a/file");
  EXPECT_TRUE(notices_.Take());
}

TEST_F(FileNoticesTest, AFileIsWatchedBehindALink) {
  MakeFolder("a");
  Write("a/file");
  std::filesystem::create_symlink("a/file", Path("link"));
  notices_.Watch({}, {Path("link")});

  Write("a/file");

  EXPECT_TRUE(notices_.Take());
}

}  // namespace
}  // namespace pvebus
