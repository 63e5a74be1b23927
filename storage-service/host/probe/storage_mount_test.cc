#include "storage-service/host/probe/storage_mount.h"

#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

Storage Read(const std::string& section) { return ParseStorageConfig(section).storages.at(0); }

TEST(StorageMountTest, NfsIsMountedFromItsExport) {
  const Storage nas = Read("nfs: nas\n\tserver 10.0.0.1\n\texport /export/a\n");

  EXPECT_EQ(MountPointOf(nas), "/mnt/pve/nas");
  EXPECT_TRUE(IsMounted(nas, {{"/mnt/pve/nas", "nfs4", "10.0.0.1:/export/a"}}));
  EXPECT_TRUE(IsMounted(nas, {{"/mnt/pve/nas", "nfs", "10.0.0.1:/export/a/"}}));
  EXPECT_FALSE(IsMounted(nas, {{"/mnt/pve/nas", "nfs", "10.0.0.1:/export/b"}}));
  EXPECT_FALSE(IsMounted(nas, {{"/mnt/pve/nas2", "nfs", "10.0.0.1:/export/a"}}));
  EXPECT_FALSE(IsMounted(nas, {{"/mnt/pve/nas", "ext4", "10.0.0.1:/export/a"}}));
  EXPECT_FALSE(IsMounted(nas, {}));
}

TEST(StorageMountTest, Ipv6ServersHaveBrackets) {
  const Storage nas = Read("nfs: nas\n\tserver fd00::1\n\texport /export/a\n\tpath /data//nas/\n");

  EXPECT_TRUE(IsMounted(nas, {{"/data/nas", "nfs4", "[fd00::1]:/export/a"}}));
}

TEST(StorageMountTest, CifsIsMountedFromItsShareAndSubdirectory) {
  EXPECT_TRUE(IsMounted(Read("cifs: win\n\tserver nas\n\tshare backup\n"), {{"/mnt/pve/win", "cifs", "//nas/backup"}}));
  const Storage sub = Read("cifs: win\n\tserver nas\n\tshare backup\n\tsubdir /pve\n");
  EXPECT_TRUE(IsMounted(sub, {{"/mnt/pve/win", "cifs", "//nas/backup/pve"}}));
  EXPECT_FALSE(IsMounted(sub, {{"/mnt/pve/win", "cifs", "//nas/backup"}}));
}

TEST(StorageMountTest, CephfsIsMountedByEitherClient) {
  const Storage ceph = Read("cephfs: ceph\n\tmonhost 10.0.0.1\n");

  EXPECT_TRUE(IsMounted(ceph, {{"/mnt/pve/ceph", "ceph", "10.0.0.1:/"}}));
  EXPECT_TRUE(IsMounted(ceph, {{"/mnt/pve/ceph", "fuse.ceph-fuse", "ceph-fuse"}}));
  EXPECT_FALSE(IsMounted(ceph, {{"/mnt/pve/ceph", "nfs", "10.0.0.1:/"}}));
}

TEST(StorageMountTest, DirectoryIsMountedOnlyWhenItSaysSo) {
  EXPECT_EQ(MountPointOf(Read("dir: usb\n\tpath /mnt/usb/pve\n")), "");
  EXPECT_EQ(MountPointOf(Read("dir: usb\n\tpath /mnt/usb/pve\n\tis_mountpoint no\n")), "");
  EXPECT_EQ(MountPointOf(Read("dir: usb\n\tpath /mnt/usb/pve\n\tis_mountpoint yes\n")), "/mnt/usb/pve");
  const Storage usb = Read("dir: usb\n\tpath /mnt/usb/pve\n\tis_mountpoint /mnt/usb\n");
  EXPECT_EQ(MountPointOf(usb), "/mnt/usb");
  EXPECT_TRUE(IsMounted(usb, {{"/mnt/usb", "ext4", "/dev/sdb1"}}));
  EXPECT_FALSE(IsMounted(usb, {{"/mnt", "ext4", "/dev/sdb1"}}));
}

TEST(StorageMountTest, OthersAreNotMounted) {
  EXPECT_EQ(MountPointOf(Read("iscsi: san\n\tportal 10.0.0.1\n\ttarget iqn.2026-01.a:b\n")), "");
  EXPECT_EQ(MountPointOf(Read("lvm: vg\n\tvgname vg0\n")), "");
}

}  // namespace
}  // namespace pvebus::storage
