#include "storage-service/host/probe/mount_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;

TEST(MountTableTest, LinesOfMountInfoAreUnderstood) {
  const auto mounts = ParseMountInfo(
      "22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
      "99 28 0:50 / /mnt/pve/nas rw,relatime - nfs4 nas:/export/a rw,vers=4.2\n"
      "100 28 0:51 / /mnt/a\\040b\\134c rw shared:1 master:2 propagate_from:3 - cifs //nas/my\\040share rw\n");

  EXPECT_THAT(mounts, ElementsAre(Mount{"/sys", "sysfs", "sysfs"}, Mount{"/mnt/pve/nas", "nfs4", "nas:/export/a"},
                                  Mount{"/mnt/a b\\c", "cifs", "//nas/my share"}));
}

TEST(MountTableTest, WhatIsNoLineIsLeftOut) {
  for (const char* text : {"", "\n\n", "1 2 3", "22 28 0:21 / /sys rw,nosuid shared:7", "22 28 0:21 / /sys rw -", "\\"}) {
    EXPECT_TRUE(ParseMountInfo(text).empty()) << text;
  }
  EXPECT_EQ(ParseMountInfo("1 2 3 / /a\\04 rw - t s")[0].point, "/a\\04");
}

TEST(MountTableTest, OwnMountsAreRead) {
  EXPECT_THAT(*ReadMounts("/proc/self/mountinfo"), Contains(Field(&Mount::point, "/proc")));
  EXPECT_EQ(ReadMounts("/nowhere/mountinfo").status().message(), "/nowhere/mountinfo cannot be read");
}

}  // namespace
}  // namespace pvebus::storage
