#include "storage-service/core/storage_config.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Endpoint At(std::string host, std::optional<uint16_t> port) { return {std::move(host), port}; }

// The only storage of a file without anything to say about it.
Storage Only(std::string_view text) {
  StorageConfig config = ParseStorageConfig(text);
  EXPECT_THAT(config.warnings, IsEmpty()) << (config.warnings.empty() ? "" : config.warnings[0].message);
  EXPECT_EQ(config.storages.size(), 1u) << text;
  return config.storages.empty() ? Storage() : config.storages[0];
}

// The only warning about a file.
StorageWarning OnlyWarning(std::string_view text) {
  StorageConfig config = ParseStorageConfig(text);
  EXPECT_EQ(config.warnings.size(), 1u) << text;
  return config.warnings.empty() ? StorageWarning() : config.warnings[0];
}

std::vector<std::string> IdsOf(const StorageConfig& config) {
  std::vector<std::string> ids;
  for (const Storage& storage : config.storages) ids.push_back(storage.storage_id);
  return ids;
}

struct Written {
  const char* text;
  const char* type;
  bool network;
  bool shared;
  std::vector<std::string> contents;
  std::vector<Endpoint> endpoints;
  PropertyValues properties;
};

// What administrators write, one storage of each type.
class WrittenStorageTest : public testing::TestWithParam<Written> {};

TEST_P(WrittenStorageTest, IsUnderstood) {
  const Storage storage = Only(GetParam().text);

  EXPECT_EQ(storage.type, GetParam().type);
  EXPECT_EQ(storage.network, GetParam().network);
  EXPECT_EQ(storage.shared, GetParam().shared);
  EXPECT_TRUE(storage.enabled);
  EXPECT_EQ(storage.contents, GetParam().contents);
  EXPECT_EQ(storage.endpoints, GetParam().endpoints);
  EXPECT_EQ(storage.properties, GetParam().properties);
  EXPECT_EQ(storage.nodes, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    EachType, WrittenStorageTest,
    testing::Values(
        Written{"dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n",
                "dir",
                false,
                false,
                {"iso", "vztmpl", "backup"},
                {},
                {{"path", "/var/lib/vz"}}},
        Written{"dir: usb\n\tpath /mnt/usb\n\tis_mountpoint yes\n\tshared\n\tprune-backups keep-last=3,keep-weekly=2\n",
                "dir",
                false,
                true,
                {"images", "rootdir"},
                {},
                {{"path", "/mnt/usb"}, {"is_mountpoint", "yes"}, {"prune-backups", "keep-last=3,keep-weekly=2"}}},
        Written{"lvm: san\n\tvgname vg-san\n\tbase san0:0.0.1.scsi-3600\n\tshared 1\n\tsaferemove\n",
                "lvm",
                false,
                true,
                {"images"},
                {},
                {{"vgname", "vg-san"}, {"base", "san0:0.0.1.scsi-3600"}, {"saferemove", "1"}}},
        Written{"lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\tcontent rootdir,images\n",
                "lvmthin",
                false,
                false,
                {"rootdir", "images"},
                {},
                {{"thinpool", "data"}, {"vgname", "pve"}}},
        Written{"zfspool: local-zfs\n\tpool rpool/data\n\tsparse\n\tblocksize 16k\n\tmountpoint /rpool/data\n",
                "zfspool",
                false,
                false,
                {"images", "rootdir"},
                {},
                {{"pool", "rpool/data"}, {"sparse", "1"}, {"blocksize", "16k"}, {"mountpoint", "/rpool/data"}}},
        Written{"btrfs: local-btrfs\n\tpath /mnt/btrfs\n\tnocow 0\n",
                "btrfs",
                false,
                false,
                {"images", "rootdir"},
                {},
                {{"path", "/mnt/btrfs"}, {"nocow", "0"}}},
        Written{"nfs: nas\n\texport /volume1/pve\n\tserver 10.0.0.5\n\toptions vers=4.2,soft\n\tcontent images,iso\n",
                "nfs",
                true,
                true,
                {"images", "iso"},
                {At("10.0.0.5", 2049)},
                {{"export", "/volume1/pve"}, {"server", "10.0.0.5"}, {"options", "vers=4.2,soft"}, {"path", "/mnt/pve/nas"}}},
        Written{"nfs: nas6\n\tpath /srv/nas6\n\texport /e\n\tserver fd00::5\n\toptions mountport=635,port=12049\n",
                "nfs",
                true,
                true,
                {"images"},
                {At("fd00::5", 12049)},
                {{"path", "/srv/nas6"}, {"export", "/e"}, {"server", "fd00::5"}, {"options", "mountport=635,port=12049"}}},
        Written{"cifs: win\n\tserver files.example.com\n\tshare pve\n\tusername bob\n\tdomain EXAMPLE\n\tsmbversion "
                "3.0\n\tsubdir /a\n",
                "cifs",
                true,
                true,
                {"images"},
                {At("files.example.com", 445)},
                {{"server", "files.example.com"},
                 {"share", "pve"},
                 {"username", "bob"},
                 {"domain", "EXAMPLE"},
                 {"smbversion", "3.0"},
                 {"subdir", "/a"},
                 {"path", "/mnt/pve/win"}}},
        Written{
            "pbs: backup\n\tdatastore main\n\tserver pbs.example.com\n\tnamespace site/a\n\tusername pve@pbs!node\n"
            "\tencryption-key 8a:b1:02:03:04:05:06:07\n\tfingerprint "
            "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\n",
            "pbs",
            true,
            true,
            {"backup"},
            {At("pbs.example.com", 8007)},
            {{"datastore", "main"},
             {"server", "pbs.example.com"},
             {"namespace", "site/a"},
             {"username", "pve@pbs!node"},
             {"fingerprint", "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"}}},
        Written{"pbs: b2\n\tdatastore d\n\tserver 10.1.1.1\n\tport 8443\n\tcontent none\n",
                "pbs",
                true,
                true,
                {"none"},
                {At("10.1.1.1", 8443)},
                {{"datastore", "d"}, {"server", "10.1.1.1"}, {"port", "8443"}}},
        Written{"iscsi: san0\n\tportal 10.0.0.9\n\ttarget iqn.2003-01.org.x:sn.1\n\tcontent none\n",
                "iscsi",
                true,
                true,
                {"none"},
                {At("10.0.0.9", 3260)},
                {{"portal", "10.0.0.9"}, {"target", "iqn.2003-01.org.x:sn.1"}}},
        Written{"iscsidirect: san1\n\tportal [fd00::9]:3261\n\ttarget iqn.x\n",
                "iscsidirect",
                true,
                true,
                {"images"},
                {At("fd00::9", 3261)},
                {{"portal", "[fd00::9]:3261"}, {"target", "iqn.x"}}},
        Written{"zfs: tank\n\tportal 10.0.0.7\n\ttarget iqn.y\n\tpool tank\n\tblocksize 4k\n\tiscsiprovider LIO\n\tlio_tpg "
                "tpg1\n\tsparse "
                "1\n",
                "zfs",
                true,
                true,
                {"images"},
                {At("10.0.0.7", 3260)},
                {{"portal", "10.0.0.7"},
                 {"target", "iqn.y"},
                 {"pool", "tank"},
                 {"blocksize", "4k"},
                 {"iscsiprovider", "LIO"},
                 {"lio_tpg", "tpg1"},
                 {"sparse", "1"}}},
        Written{
            "rbd: ceph\n\tmonhost 10.0.0.1 10.0.0.2:6789;[fd00::3]:3300, mon4\n\tpool vms\n\tkrbd\n\tusername admin\n",
            "rbd",
            true,
            true,
            {"images"},
            {At("10.0.0.1", {}), At("10.0.0.2", 6789), At("fd00::3", 3300), At("mon4", {})},
            {{"monhost", "10.0.0.1 10.0.0.2:6789;[fd00::3]:3300, mon4"}, {"pool", "vms"}, {"krbd", "1"}, {"username", "admin"}}},
        Written{
            "rbd: own\n\tpool vms\n\tcontent images,rootdir\n", "rbd", true, true, {"images", "rootdir"}, {}, {{"pool", "vms"}}},
        Written{"cephfs: files\n\tmonhost fd00::1\n\tfs-name cephfs\n\tfuse 1\n",
                "cephfs",
                true,
                true,
                {"backup"},
                {At("fd00::1", {})},
                {{"monhost", "fd00::1"}, {"fs-name", "cephfs"}, {"fuse", "1"}, {"path", "/mnt/pve/files"}}},
        Written{"esxi: old\n\tserver esx1\n\tusername root\n\tskip-cert-verification 1\n",
                "esxi",
                true,
                false,
                {"import"},
                {At("esx1", 443)},
                {{"server", "esx1"}, {"username", "root"}, {"skip-cert-verification", "1"}}}),
    [](const auto& test) { return absl::StrCat(test.param.type, "_", test.index); });

TEST(StorageConfigTest, AnEmptyFileHasNoStorages) {
  for (const char* text : {"", "\n\n", "# only a comment\n", " # indented\n\n#"}) {
    const StorageConfig config = ParseStorageConfig(text);
    EXPECT_THAT(config.storages, IsEmpty()) << text;
    EXPECT_THAT(config.warnings, IsEmpty()) << text;
  }
}

TEST(StorageConfigTest, StoragesKeepTheirOrder) {
  const StorageConfig config = ParseStorageConfig("dir: bb\n path /b\n\n\n\nNFS: aa\n server a\n export /a\n\ndir: cc\n path /c");

  EXPECT_THAT(IdsOf(config), ElementsAre("bb", "aa", "cc"));
  EXPECT_EQ(config.storages[1].type, "nfs");
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(StorageConfigTest, DisableIsABooleanAndNodesLimitWhereAStorageExists) {
  EXPECT_FALSE(Only("dir: aa\n path /a\n disable\n").enabled);
  EXPECT_FALSE(Only("dir: aa\n path /a\n disable 1\n").enabled);
  EXPECT_TRUE(Only("dir: aa\n path /a\n disable 0\n").enabled);
  EXPECT_FALSE(Only("dir: aa\n path /a\n shared 0\n").shared);
  EXPECT_THAT(*Only("dir: aa\n path /a\n nodes pve2, pve1;pve2 pve-3\n").nodes, ElementsAre("pve2", "pve1", "pve-3"));
}

TEST(StorageConfigTest, ListsAreSplitAtCommaSemicolonAndBlank) {
  EXPECT_THAT(Only("dir: aa\n path /a\n content iso;backup, snippets vztmpl\n").contents,
              ElementsAre("iso", "backup", "snippets", "vztmpl"));
  EXPECT_THAT(Only("cephfs: aa\n monhost mon1;mon2, mon3 [fd00::4]\n").endpoints,
              ElementsAre(At("mon1", {}), At("mon2", {}), At("mon3", {}), At("fd00::4", {})));
}

TEST(StorageConfigTest, APathThatIsGivenStandsInsteadOfTheDefault) {
  for (const char* text :
       {"nfs: aa\n server s\n export /e\n path /x\n", "cifs: aa\n server s\n share x\n path /x\n", "cephfs: aa\n path /x\n"}) {
    EXPECT_EQ(Only(text).properties.at("path"), "/x");
  }
}

TEST(StorageConfigTest, WhatHasAFieldOfItsOwnIsNoPropertyToo) {
  EXPECT_THAT(Only("dir: aa\n path /a\n nodes n1\n content iso\n disable 0\n shared 1\n").properties,
              ElementsAre(Pair("path", "/a")));
}

TEST(StorageConfigTest, TheFirstOfARepeatedPropertyCounts) {
  const StorageConfig config = ParseStorageConfig("dir: aa\n path /first\n path /second\n");

  EXPECT_EQ(config.storages.at(0).properties.at("path"), "/first");
  EXPECT_EQ(config.warnings.at(0).line, 3u);
  EXPECT_THAT(config.warnings.at(0).message, AllOf(HasSubstr("'path'"), HasSubstr("first one counts, in line 2")));
}

TEST(StorageConfigTest, AnInvalidPropertyIsNotTheFirst) {
  const StorageConfig config = ParseStorageConfig("dir: aa\n path relative\n path /second\n");

  EXPECT_EQ(config.storages.at(0).properties.at("path"), "/second");
  EXPECT_EQ(config.warnings.size(), 1u);
}

TEST(StorageConfigTest, TheLastOfARepeatedIdCounts) {
  const StorageConfig config = ParseStorageConfig("dir: aa\n path /a1\n\ndir: bb\n path /b\n\nnfs: aa\n server s\n export /a2\n");

  EXPECT_THAT(IdsOf(config), ElementsAre("bb", "aa"));
  EXPECT_EQ(config.storages[1].type, "nfs");
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_EQ(config.warnings[0].line, 1u);
  EXPECT_EQ(config.warnings[0].storage_id, "aa");
  EXPECT_TRUE(config.warnings[0].section_skipped);
  EXPECT_THAT(config.warnings[0].message, HasSubstr("again in line 7"));
}

TEST(StorageConfigTest, ARepeatedIdCountsEvenWhenItsLastSectionIsSkipped) {
  EXPECT_THAT(IdsOf(ParseStorageConfig("dir: aa\n path /a1\n\ndir: aa\n content iso\n")), IsEmpty());
  EXPECT_THAT(IdsOf(ParseStorageConfig("dir: aa\n path /a1\n\nunknown: aa\n content iso\n")), ElementsAre("aa"));
}

TEST(StorageConfigTest, AHeaderWithoutAnEmptyLineBeforeItIsSwallowed) {
  const StorageConfig config = ParseStorageConfig("dir: aa\n path /a\nnfs: nas\n server s\n content iso\n");

  ASSERT_THAT(IdsOf(config), ElementsAre("aa"));
  EXPECT_THAT(config.storages[0].contents, ElementsAre("iso")) << "what follows counts for aa";
  ASSERT_EQ(config.warnings.size(), 2u);
  EXPECT_EQ(config.warnings[0].line, 3u);
  EXPECT_EQ(config.warnings[0].storage_id, "nas");
  EXPECT_TRUE(config.warnings[0].section_skipped);
  EXPECT_THAT(config.warnings[0].message, AllOf(HasSubstr("storage of line 1"), HasSubstr("put an empty line before it")));
  EXPECT_THAT(config.warnings[1].message, HasSubstr("no property 'server'"));
}

TEST(StorageConfigTest, ALineOfBlanksDoesNotEndASection) {
  const StorageConfig config = ParseStorageConfig("dir: aa\n path /a\n  \nnfs: nas\n");

  EXPECT_THAT(IdsOf(config), ElementsAre("aa"));
  EXPECT_EQ(config.warnings.at(0).line, 3u);
  EXPECT_THAT(config.warnings.at(0).message, HasSubstr("remove the blanks"));
}

TEST(StorageConfigTest, AFileWithWindowsLineEndsIsOneSection) {
  const StorageConfig config = ParseStorageConfig("dir: aa\r\n\tpath /a\r\n\r\nnfs: nas\r\n\tserver s\r\n");

  ASSERT_THAT(IdsOf(config), ElementsAre("aa"));
  EXPECT_EQ(config.storages[0].properties.at("path"), "/a");
  EXPECT_THAT(config.warnings.at(0).message, HasSubstr("Unix line ends"));
}

struct Mistreated {
  const char* text;
  size_t line;
  const char* storage_id;
  bool section_skipped;
  std::vector<const char*> says;
};

class MistreatedTest : public testing::TestWithParam<Mistreated> {};

TEST_P(MistreatedTest, IsExplainedWithItsLine) {
  const StorageWarning warning = OnlyWarning(GetParam().text);

  EXPECT_EQ(warning.line, GetParam().line);
  EXPECT_EQ(warning.storage_id, GetParam().storage_id);
  EXPECT_EQ(warning.section_skipped, GetParam().section_skipped);
  for (const char* text : GetParam().says) EXPECT_THAT(warning.message, HasSubstr(text));
  EXPECT_EQ(ParseStorageConfig(GetParam().text).storages.size(), GetParam().section_skipped ? 0u : 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Sections, MistreatedTest,
    testing::Values(
        Mistreated{"\nnsf: nas\n server s\n", 2, "nas", true, {"no type 'nsf'", "did you mean 'nfs'?", "there are: dir, lvm"}},
        Mistreated{"glusterfs: gg\n server s\n", 1, "gg", true, {"no type 'glusterfs'"}},
        Mistreated{"\xef\xbb\xbfnfs: nas\n server s\n", 1, "nas", true, {"byte order mark"}},
        Mistreated{"dir: a\n path /a\n", 1, "a", true, {"two characters"}},
        Mistreated{"dir: 1a\n path /a\n", 1, "1a", true, {"letter first"}},
        Mistreated{"dir: a_\n path /a\n", 1, "a_", true, {"digit last"}},
        Mistreated{"dir: a/b\n path /a\n", 1, "a/b", true, {"the section is skipped"}},
        Mistreated{"nfs: nas\n content iso\n", 1, "nas", true, {"needs server and export, which are missing"}},
        Mistreated{"dir: aa\n", 1, "aa", true, {"needs path, which is missing"}},
        Mistreated{"zfs: tt\n portal a\n target b\n pool c\n iscsiprovider LIO\n", 1, "tt", true, {"needs blocksize"}},
        Mistreated{"dir: aa\n path /a b\n", 1, "aa", true, {"'/a b'", "letters, digits and -/_.@"}},
        Mistreated{"dir: aa\n path /a\n content none,iso\n", 1, "aa", true, {"'none' beside others"}},
        Mistreated{"lvm: aa\n vgname vv\n content ,\n", 1, "aa", true, {"names nothing", "images, rootdir"}}));

INSTANTIATE_TEST_SUITE_P(
    Properties, MistreatedTest,
    testing::Values(
        Mistreated{"dir: aa\n path /a\n contents iso\n", 3, "aa", false, {"no property 'contents'", "did you mean 'content'?"}},
        Mistreated{"nfs: aa\n server s\n export /e\n shared 1\n", 4, "aa", false, {"type nfs has no property 'shared'"}},
        Mistreated{"dir: aa\n path /a\n content isos\n", 3, "aa", false, {"'content' is left out", "'isos' is none of: images"}},
        Mistreated{"lvm: aa\n vgname vv\n content images,iso\n", 3, "aa", false, {"cannot hold 'iso', only images, rootdir"}},
        Mistreated{"dir: aa\n path /a\n disable yes\n", 3, "aa", false, {"'disable' is left out: 'yes' is not 0 or 1"}},
        Mistreated{"dir: aa\n path /a\n nodes pve_1\n", 3, "aa", false, {"'pve_1' is no node name", "all nodes"}},
        Mistreated{"dir: aa\n path /a\n nodes ,\n", 3, "aa", false, {"exists nowhere"}},
        Mistreated{"dir: aa\n path /a\n nodes\n", 3, "aa", false, {"'nodes' has no value"}},
        Mistreated{"dir: aa\n path /a\n maxfiles many\n", 3, "aa", false, {"whole number of at least 0"}},
        Mistreated{"dir: aa\n path /a\n max-protected-backups -2\n", 3, "aa", false, {"at least -1"}},
        Mistreated{"dir: aa\n path /a\n format raw2\n", 3, "aa", false, {"'raw2' is none of: raw, qcow2"}},
        Mistreated{"dir: aa\n path /a\n preallocation thin\n", 3, "aa", false, {"off, metadata"}},
        Mistreated{"dir: aa\n path /a\n bwlimit migration=1\rx\n", 3, "aa", false, {"carriage return"}},
        Mistreated{"dir: aa\n path /a\ncontent iso\n", 3, "aa", false, {"properties are indented"}},
        Mistreated{"dir: aa\n path /a\nnote: this\n", 3, "aa", false, {"properties are indented"}},
        Mistreated{"pbs: aa\n server s\n datastore d\n port 99999\n", 4, "aa", false, {"'99999'", "1 to 65535"}},
        Mistreated{"pbs: aa\n server s\n datastore d\n fingerprint ab:cd\n", 4, "aa", false, {"SHA-256"}},
        Mistreated{"iscsi: aa\n portal s:99999\n target t\n", 1, "aa", false, {"no endpoint", "1 to 65535"}},
        Mistreated{"rbd: aa\n monhost 10.0.0.1,mon_2\n", 2, "aa", false, {"'mon_2' is no address", "[IPV6]:PORT"}},
        Mistreated{"cifs: aa\n server s\n share x\n options a, b\n", 4, "aa", false, {"no blanks"}},
        Mistreated{"cifs: aa\n server s\n share x\n smbversion 1.0\n", 4, "aa", false, {"2.1"}},
        Mistreated{"cephfs: aa\n fs-name 1\n", 2, "aa", false, {"letter first"}},
        Mistreated{"dir: aa\n path /a\n\n content iso\n", 4, "", false, {"in no section", "first empty line"}}));

TEST(StorageConfigTest, ASectionWhoseRequiredPropertyIsInvalidSaysBoth) {
  const StorageConfig config = ParseStorageConfig("nfs: nas\n server [fd00::1]\n export /e\n");

  EXPECT_THAT(config.storages, IsEmpty());
  ASSERT_EQ(config.warnings.size(), 2u);
  EXPECT_THAT(config.warnings[0].message, HasSubstr("needs server"));
  EXPECT_THAT(config.warnings[1].message, HasSubstr("no brackets"));
}

TEST(StorageConfigTest, SecretsNeverComeOut) {
  const std::vector<const char*> files = {
      "cifs: aa\n server s\n share x\n password HIDDEN\n",
      "pbs: aa\n server s\n datastore d\n encryption-key {\"data\":\"HIDDEN\"}\n",
      "pbs: aa\n server s\n datastore d\n master-pubkey HIDDEN\n",
      "rbd: aa\n keyring HIDDEN\n",
      "cifs: aa\n server s\n share x\n options vers=3.0,password=HIDDEN\n",
      "cifs: aa\n server s\n share x\n options password=HIDDEN x\n",
      "cifs: aa\n server s\n share x\n options password=a;HIDDEN\n",
      "dir: aa\n path /a\n password HIDDEN\n",
      "dir: aa\n path /a\n password=HIDDEN\n",
      "dir: aa\n path /a\npassword HIDDEN\n",
      "dir: aa\n path /a\npassword: HIDDEN\n",
      "dir: aa\n path /a\n\n password HIDDEN\n",
      "password: HIDDEN\n",
      "keyring: HIDDEN/=\n",
      "password=HIDDEN: xx\n",
      "cifs: aa\n server smb://bob:HIDDEN@nas\n share x\n",
      "iscsi: aa\n portal chap:HIDDEN@nas:\n target t\n",
  };
  for (const char* file : files) {
    const StorageConfig config = ParseStorageConfig(file);

    EXPECT_THAT(config.warnings, Not(IsEmpty())) << file;
    for (const StorageWarning& warning : config.warnings) {
      EXPECT_THAT(absl::StrCat(warning.message, warning.storage_id), Not(HasSubstr("HIDDEN"))) << file;
    }
    for (const Storage& storage : config.storages) {
      for (const auto& [name, value] : storage.properties) EXPECT_THAT(value, Not(HasSubstr("HIDDEN"))) << file;
    }
  }
}

TEST(StorageConfigTest, MountOptionsKeepWhatIsNoSecret) {
  const StorageConfig config = ParseStorageConfig("cifs: aa\n server s\n share x\n options vers=3.0,pass=x,port=1445\n");

  EXPECT_EQ(config.storages.at(0).properties.at("options"), "vers=3.0,pass=***,port=1445");
  EXPECT_THAT(config.storages.at(0).endpoints, ElementsAre(At("s", 1445)));
}

TEST(StorageConfigTest, LocalIsTheSameOnEveryNode) {
  const StorageConfig moved = ParseStorageConfig("dir: local\n path /srv\n disable\n");
  EXPECT_EQ(moved.storages.at(0).properties.at("path"), "/var/lib/vz");
  EXPECT_TRUE(moved.storages.at(0).enabled);
  EXPECT_THAT(moved.warnings.at(0).message, HasSubstr("use another id"));

  const StorageConfig limited = ParseStorageConfig("dir: local\n path /var/lib/vz\n nodes pve1\n");
  EXPECT_EQ(limited.storages.at(0).nodes, std::nullopt);
  EXPECT_THAT(limited.warnings.at(0).message, HasSubstr("every node"));
}

TEST(StorageConfigTest, WarningsStandInTheOrderOfTheFileAndAreNotEndless) {
  std::string text = "dir: aa\n path /a\n";
  for (size_t i = 0; i < kMostWarnings + 5; ++i) absl::StrAppend(&text, " nonsense\n");

  const StorageConfig config = ParseStorageConfig(text);

  ASSERT_EQ(config.warnings.size(), kMostWarnings + 1);
  EXPECT_EQ(config.warnings[0].line, 3u);
  EXPECT_EQ(config.warnings.back().line, 0u);
  EXPECT_THAT(config.warnings.back().message, HasSubstr("5 more warnings"));
  EXPECT_THAT(IdsOf(config), ElementsAre("aa"));
}

}  // namespace
}  // namespace pvebus::storage
