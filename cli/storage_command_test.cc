#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/testing/run_in_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A storage.cfg on its way through the command. There is no bus.
class StorageCommandTest : public ::testing::Test {
 protected:
  RunOutcome Parse(const std::string& content, const char* output) {
    std::ofstream(path_, std::ios::binary) << content;
    return RunInTest({"storage", "parse", path_.c_str(), "--output", output});
  }

  const pvebus::testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/storage.cfg";
};

TEST_F(StorageCommandTest, TheJsonHasWhatProgramsNeedWithDefaultsFilledIn) {
  const RunOutcome run = Parse(
      "dir: local\n\tpath /var/lib/vz\n\tcontent iso\n\nnfs: nas\n\tserver fd00::5\n\texport /e\n\tnodes n1,n2\n\tdisable\n\n"
      "rbd: ceph\n\tmonhost 10.0.0.1\n\nnsf: oops\n",
      "json");

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(json::parse(run.out), json::parse(R"({
    "storages": [
      {"storage_id": "local", "type": "dir", "network": false, "enabled": true, "shared": false, "content": ["iso"],
       "nodes": null, "endpoints": [], "properties": {"path": "/var/lib/vz"}},
      {"storage_id": "nas", "type": "nfs", "network": true, "enabled": false, "shared": true, "content": ["images"],
       "nodes": ["n1", "n2"], "endpoints": [{"host": "fd00::5", "port": 2049}],
       "properties": {"export": "/e", "path": "/mnt/pve/nas", "server": "fd00::5"}},
      {"storage_id": "ceph", "type": "rbd", "network": true, "enabled": true, "shared": true, "content": ["images"],
       "nodes": null, "endpoints": [{"host": "10.0.0.1", "port": null}], "properties": {"monhost": "10.0.0.1"}}],
    "warnings": [
      {"line": 14, "storage_id": "oops", "section_skipped": true,
       "message": "there is no type 'nsf' (did you mean 'nfs'?); there are: dir, lvm, lvmthin, zfspool, btrfs, nfs, cifs, cephfs, pbs, esxi, iscsi, iscsidirect, zfs, rbd; the section is skipped"}]})"));
}

TEST_F(StorageCommandTest, TheTableIsForEyesAndWarningsNameFileAndLine) {
  const RunOutcome run = Parse("pbs: backup\n\tserver fd00::5\n\tdatastore d\n\tport 8443\n\tcontents backup\n", "table");

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, AllOf(HasSubstr("STORAGE"), HasSubstr("backup"), HasSubstr("[fd00::5]:8443"), HasSubstr("all")));
  EXPECT_THAT(run.err, HasSubstr(path_ + ":5: warning: storage 'backup': a storage of type pbs has no property 'contents'"));
}

TEST_F(StorageCommandTest, AFileWithoutStoragesSaysSo) {
  EXPECT_EQ(Parse("", "table").out, "no storages\n");
  EXPECT_EQ(json::parse(Parse("# nothing\n", "json").out), json::parse(R"({"storages": [], "warnings": []})"));
}

TEST_F(StorageCommandTest, AnyBytesBecomeValidJson) {
  const std::string bytes =
      "dir: aa\n\tpath /a\n\tbwlimit \xff\xc3" + std::string(1, '\0') + "\x1b[31m\n\t\xfe\xff x\n\n\xe2\x82: \x80\x80\n";

  const RunOutcome run = Parse(bytes, "json");

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  const json document = json::parse(run.out, nullptr, false);
  ASSERT_FALSE(document.is_discarded()) << run.out;
  EXPECT_EQ(document["storages"].size(), 1u);
  EXPECT_THAT(Parse(bytes, "table").err, Not(HasSubstr("\x1b")));
}

TEST_F(StorageCommandTest, OneEndlessCellDoesNotWidenTheTable) {
  std::string content = "dir: aa\n path /a\n nodes " + std::string(1'000'000, 'n') + "\n\n";
  for (int i = 0; i < 1000; ++i) content += "dir: b" + std::to_string(i) + "\n path /b\n\n";

  EXPECT_LT(Parse(content, "table").out.size(), 500'000u);
}

TEST_F(StorageCommandTest, StandardInputIsRead) {
  std::istringstream input("dir: aa\n\tpath /a\n\tcontents x\n");
  std::streambuf* const before = std::cin.rdbuf(input.rdbuf());
  const RunOutcome run = RunInTest({"storage", "parse", "-"});
  std::cin.rdbuf(before);

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, HasSubstr("aa"));
  EXPECT_THAT(run.err, HasSubstr("standard input:3: warning: "));
}

TEST_F(StorageCommandTest, AFileThatCannotBeReadIsNamed) {
  for (const std::string& file : {directory_.path() + "/missing", directory_.path()}) {
    const RunOutcome run = RunInTest({"storage", "parse", file.c_str(), "--output", "json"});

    EXPECT_EQ(run.exit_code, kUsageError);
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, HasSubstr("cannot read '" + file + "'"));
  }
}

}  // namespace
}  // namespace pvebus::cli
