#include "storage-service/core/storage_types.h"

#include <map>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using testing::UnorderedElementsAre;

std::vector<std::string> NamesOf(bool (*wanted)(const StorageType&)) {
  std::vector<std::string> names;
  for (const StorageType& type : StorageTypes()) {
    if (wanted(type)) names.emplace_back(type.name);
  }
  return names;
}

TEST(StorageTypesTest, TheTypesOfProxmoxAreKnown) {
  EXPECT_THAT(NamesOf([](const StorageType&) { return true; }),
              UnorderedElementsAre("dir", "lvm", "lvmthin", "zfspool", "btrfs", "nfs", "cifs", "pbs", "iscsi", "iscsidirect",
                                   "zfs", "rbd", "cephfs", "esxi"));
  EXPECT_THAT(NamesOf([](const StorageType& type) { return type.network(); }),
              UnorderedElementsAre("nfs", "cifs", "pbs", "iscsi", "iscsidirect", "zfs", "rbd", "cephfs", "esxi"));
  EXPECT_THAT(NamesOf([](const StorageType& type) { return type.always_shared; }),
              UnorderedElementsAre("nfs", "cifs", "pbs", "iscsi", "iscsidirect", "zfs", "rbd", "cephfs"));
  EXPECT_THAT(NamesOf([](const StorageType& type) { return type.default_path; }), UnorderedElementsAre("nfs", "cifs", "cephfs"));
}

TEST(StorageTypesTest, ATypeNeedsWhatProxmoxNeeds) {
  std::map<std::string, std::set<std::string>> needed;
  for (const StorageType& type : StorageTypes()) {
    std::set<std::string>& names = needed[std::string(type.name)];
    for (const Property& property : type.properties) {
      if (property.required) names.emplace(property.name);
    }
  }

  EXPECT_EQ(needed, (std::map<std::string, std::set<std::string>>{
                        {"dir", {"path"}},
                        {"lvm", {"vgname"}},
                        {"lvmthin", {"thinpool", "vgname"}},
                        {"zfspool", {"pool"}},
                        {"btrfs", {"path"}},
                        {"nfs", {"export", "server"}},
                        {"cifs", {"server", "share"}},
                        {"pbs", {"datastore", "server"}},
                        {"iscsi", {"portal", "target"}},
                        {"iscsidirect", {"portal", "target"}},
                        {"zfs", {"blocksize", "iscsiprovider", "pool", "portal", "target"}},
                        {"rbd", {}},
                        {"cephfs", {}},
                        {"esxi", {"server", "username"}},
                    }));
}

TEST(StorageTypesTest, NoPropertyIsThereTwiceAndDefaultsArePossible) {
  for (const StorageType& type : StorageTypes()) {
    const std::vector<std::string> names = type.PropertyNames();
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << type.name;
    EXPECT_THAT(type.contents, testing::IsSupersetOf(type.default_contents)) << type.name;
    EXPECT_FALSE(type.always_shared && type.Find("shared") != nullptr) << type.name;
  }
}

TEST(StorageTypesTest, CaseDoesNotCountInTypes) {
  ASSERT_NE(FindStorageType("NFS"), nullptr);
  EXPECT_EQ(FindStorageType("NFS")->name, "nfs");
  EXPECT_EQ(FindStorageType("nsf"), nullptr);
  EXPECT_EQ(FindStorageType(std::string(1 << 20, 'n')), nullptr);
}

TEST(StorageTypesTest, NamesOfSecretsAreRecognised) {
  for (const char* name : {"password", "Passwd", "smb_pwd", "keyring", "encryption-key", "client_secret", "api-token"}) {
    EXPECT_TRUE(IsSecretName(name)) << name;
  }
  for (const char* name : {"username", "server", "path", "fingerprint"}) EXPECT_FALSE(IsSecretName(name)) << name;
}

}  // namespace
}  // namespace pvebus::storage
