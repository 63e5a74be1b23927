#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "cli/event_input.h"
#include "cli/testing/run_in_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/interfaces_reader.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kOld =
    "auto lo\niface lo inet loopback\n\niface eno1 inet manual\n\nauto vmbr0\niface vmbr0 inet static\n\taddress 10.0.0.5/24\n"
    "\tbridge-ports eno1\n";

// Configurations on their way through the command. There is no bus.
class NetworkCommandTest : public ::testing::Test {
 protected:
  // A file, and the folders that it needs.
  std::string Write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = std::filesystem::path(directory_.path()) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }

  static RunOutcome Diff(const std::string& before, const std::string& after, const char* output = "table") {
    return RunInTest({"network", "diff", before.c_str(), after.c_str(), "--output", output});
  }

  const pvebus::testing::TemporaryDirectory directory_;
};

TEST_F(NetworkCommandTest, TheTableIsForEyes) {
  const std::string before = Write("old", kOld);
  const std::string after =
      Write("new", std::string(kOld) + "\tbridge-vlan-aware yes\n\nauto vmbr0.20\niface vmbr0.20 inet manual\n");

  const RunOutcome run = Diff(before, after);

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out,
            "CHANGE  INTERFACE  DESCRIPTION\n"
            "update  vmbr0      VLAN-aware on\n"
            "create  vmbr0.20   new VLAN, tag 20, parent vmbr0\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(NetworkCommandTest, TheJsonIsWhatTheBusTakes) {
  const std::string before = Write("old", kOld);
  const std::string after = Write("new", std::string(kOld) + "\nauto vmbr0.20\niface vmbr0.20 inet manual\n\tmtu 1400\n");

  const RunOutcome run = Diff(before, after, "json");

  EXPECT_EQ(run.exit_code, 0);
  const json document = json::parse(run.out);
  EXPECT_EQ(document, json::parse(R"({"accepted": true, "diagnostics": [], "changes": [{
    "change_type": "create", "target": "vmbr0.20", "old_config": null,
    "new_config": {"name": "vmbr0.20", "iface_type": {"Vlan": {"parent": "vmbr0", "tag": 20}}, "method": "Manual",
      "addresses": [], "gateway": null, "method6": "None", "gateway6": null, "mtu": 1400, "options": {}, "enabled": true},
    "description": "vmbr0.20: new VLAN, tag 20, parent vmbr0, mtu 1400"}]})"));
  const auto event = EventFromChangesJson(document["changes"].dump());
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->network_applied().changes(0).target(), "vmbr0.20");
}

TEST_F(NetworkCommandTest, NothingChangedSaysSo) {
  const std::string before = Write("old", kOld);
  const std::string after = Write("new", "# only a comment\n" + std::string(kOld));

  EXPECT_EQ(Diff(before, after).out, "no changes\n");
  EXPECT_EQ(json::parse(Diff(before, after, "json").out), json::parse(R"({"accepted": true, "changes": [], "diagnostics": []})"));
}

TEST_F(NetworkCommandTest, ARefusedConfigurationIsToldAsCompilersDo) {
  const std::string before = Write("old", kOld);
  const std::string after = Write("new", "iface vmbr0 inet sttaic\n\taddress 10.0.0.5/24\n");

  const RunOutcome table = Diff(before, after);
  const RunOutcome document = Diff(before, after, "json");

  EXPECT_EQ(table.exit_code, 1);
  EXPECT_EQ(table.out, "");
  EXPECT_THAT(table.err, AllOf(HasSubstr(after + ":1: error: inet has no method 'sttaic'"),
                               HasSubstr("pvebus: " + after + " cannot be applied: errors: 1\n")));
  EXPECT_EQ(document.exit_code, 1);
  EXPECT_EQ(document.err, "");
  const json refused = json::parse(document.out);
  EXPECT_EQ(refused["accepted"], false);
  EXPECT_EQ(refused["changes"], json::array());
  EXPECT_EQ(refused["diagnostics"][0]["severity"], "error");
  EXPECT_EQ(refused["diagnostics"][0]["file"], after);
  EXPECT_EQ(refused["diagnostics"][0]["line"], 1);
}

TEST_F(NetworkCommandTest, ATreeStandsForTheFolderOfTheNode) {
  Write("a/interfaces", "source /etc/network/interfaces.d/*\n");
  Write("a/interfaces.d/sdn", "auto blue\niface blue\n\tbridge_ports none\n");
  Write("b/interfaces", "source interfaces.d/*\n");
  Write("b/interfaces.d/sdn", "auto blue\niface blue\n\tbridge_ports none\n\tmtu 1450\n");
  Write("b/interfaces.d/folder/x", "not read\n");

  const RunOutcome run = Diff(Path("a"), Path("b"));

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, HasSubstr("update  blue       mtu none -> 1450"));
  EXPECT_EQ(run.err, "");
}

TEST_F(NetworkCommandTest, WarningsNameTheFileOfTheTree) {
  Write("a/interfaces", kOld);
  Write("b/interfaces", std::string(kOld) + "source /etc/network/gone\n");

  EXPECT_THAT(Diff(Path("a"), Path("b")).err,
              HasSubstr(Path("b") + "/interfaces:10: warning: there is no '" + Path("b") + "/gone'"));
}

TEST_F(NetworkCommandTest, WhatCannotBeReadIsWrongUsage) {
  const std::string file = Write("old", kOld);
  const std::string large = Write("large", std::string(network::kMostFileBytes + 1, '#'));
  std::filesystem::create_directories(Path("empty"));

  for (const auto& [before, after, why] :
       {std::tuple(Path("gone"), file, "cannot read '" + Path("gone") + "': there is no such file or folder"),
        std::tuple(file, Path("gone"), "cannot read '" + Path("gone") + "'"),
        std::tuple(file, Path("empty"), std::string("the folder has no file 'interfaces'")),
        std::tuple(file, large, "cannot read '" + large + "': the file has more than 1048576 bytes")}) {
    for (const char* output : {"table", "json"}) {
      const RunOutcome run = Diff(before, after, output);

      EXPECT_EQ(run.exit_code, 2);
      EXPECT_EQ(run.out, "");
      EXPECT_THAT(run.err, HasSubstr(why));
    }
  }
  EXPECT_EQ(RunInTest({"network", "diff", file.c_str()}).exit_code, 2);
}

TEST_F(NetworkCommandTest, APipeThatIsSourcedDoesNotHang) {
  const std::string before = Write("old", kOld);
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  const std::string after = Write("new", std::string(kOld) + "source pipe\nsource /dev/zero\n");

  const RunOutcome run = Diff(before, after);

  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("/pipe': it is neither a file nor a link to one"), HasSubstr("/dev/zero'")));
}

TEST_F(NetworkCommandTest, AnyBytesBecomeValidJson) {
  const std::string before = Write("old", kOld);
  const std::string after =
      Write("new\xff", std::string(kOld) + "\tup \xff\xc3" + std::string(1, '\0') + "\x1b[31m\n\tmtu \x1b[31m\xfe\n");

  EXPECT_FALSE(json::parse(Diff(before, after, "json").out, nullptr, false).is_discarded());
  EXPECT_THAT(Diff(before, after).err, Not(HasSubstr("\x1b")));
  EXPECT_FALSE(json::parse(Diff(after, before, "json").out, nullptr, false).is_discarded());
  const RunOutcome table = Diff(after, before);
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("up "), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace pvebus::cli
