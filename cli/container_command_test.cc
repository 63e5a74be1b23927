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
using ::testing::IsEmpty;
using ::testing::Not;

// A container file on its way through the command. There is no bus.
class ContainerCommandTest : public ::testing::Test {
 protected:
  RunOutcome Parse(const std::string& content, const char* output, std::vector<const char*> more = {}) {
    std::ofstream(path_, std::ios::binary) << content;
    std::vector<const char*> arguments = {
        "container", "parse", path_.c_str(), "--output", output, "--sdn-dir", directory_.path().c_str()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunInTest(arguments);
  }
  json Document(const std::string& content, std::vector<const char*> more = {}) {
    const RunOutcome run = Parse(content, "json", std::move(more));
    EXPECT_EQ(run.exit_code, kAllSucceeded);
    EXPECT_EQ(run.err, "");
    return json::parse(run.out);
  }
  void WriteSdn(const std::string& content) { std::ofstream(directory_.path() + "/.running-config") << content; }

  const pvebus::testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/101.conf";
};

TEST_F(ContainerCommandTest, TheJsonIsTheFormOfTheOriginalProject) {
  WriteSdn(R"({"vnets":{"ids":{"blue":{"zone":"z","tag":120}}},"zones":{"ids":{"z":{"type":"simple"}}}})");

  const json document = Document(
      "#Owner%3A J%C3%B6rg\nhostname: web\nnameserver: 10.0.0.53 fd00::53\nsearchdomain: lan\nmemory: 512\nlock: backup\n"
      "hookscript: local:snippets/h\nparent: s1\n"
      "net0: name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:AA:BB:CC,ip=10.0.0.5/24,gw=10.0.0.1,ip6=FD00::0:5/64,gw6=fd00::1,"
      "tag=12,trunks=2;3,link_down=0,mtu=1400,rate=12.5,type=veth\nnet1: name=eth1,bridge=blue,rate=10\nnet2: name=x,tag=0\n"
      "lxc.cap.drop = a\nlxc.cap.drop: b\n[pve:pending]\nmemory: 1\n[s1]\nhostname: old\n");

  EXPECT_EQ(document, json::parse(R"({
    "container_id": 101,
    "interfaces": {
      "net0": {"name": "net0", "vnet": null, "bridge": "vmbr0", "hwaddr": "BC:24:11:AA:BB:CC", "ip": "10.0.0.5/24",
               "ip6": "fd00::5/64", "gw": "10.0.0.1", "gw6": "fd00::1", "tag": 12, "trunks": [2, 3], "firewall": true,
               "link_down": false, "mtu": 1400, "rate": 12.5, "options": {"name": "eth0", "type": "veth"}},
      "net1": {"name": "net1", "vnet": "blue", "bridge": null, "hwaddr": null, "ip": null, "ip6": null, "gw": null, "gw6": null,
               "tag": null, "trunks": null, "firewall": null, "link_down": null, "mtu": null, "rate": 10,
               "options": {"name": "eth1", "type": "veth"}}},
    "hostname": "web",
    "nameservers": ["10.0.0.53", "fd00::53"],
    "search_domains": ["lan"],
    "options": {"memory": "512"},
    "extra": {"description": "Owner: Jörg", "hookscript": "local:snippets/h", "lock": "backup", "parent": "s1",
              "host_ifnames": {"net0": "veth101i0", "net1": "veth101i1"},
              "firewall_bridges": {"net0": {"fwbr": "fwbr101i0", "fwln": "fwln101i0", "fwpr": "fwpr101p0"}},
              "raw_lxc": [{"key": "lxc.cap.drop", "value": "a"}, {"key": "lxc.cap.drop", "value": "b"}],
              "pending": ["memory"], "snapshots": ["s1"]},
    "warnings": [{"line": 11, "key": "net2",
                  "message": "the interface is left out: 'tag' is wrong: '0' is no VLAN tag from 1 to 4094"}]})"));
}

TEST_F(ContainerCommandTest, WhatIsAbsentIsNullOrEmpty) {
  EXPECT_EQ(Document(""), json::parse(R"({
    "container_id": 101, "interfaces": {}, "hostname": null, "nameservers": [], "search_domains": [], "options": {},
    "extra": {"description": null, "hookscript": null, "lock": null, "parent": null, "host_ifnames": {}, "firewall_bridges": {},
              "raw_lxc": [], "pending": [], "snapshots": []},
    "warnings": []})"));
}

TEST_F(ContainerCommandTest, TheJsonHasItsKeysInTheOrderOfTheForm) {
  const std::string out = Parse("net10: name=b\nnet2: name=a\n", "json").out;

  EXPECT_LT(out.find("container_id"), out.find("interfaces"));
  EXPECT_LT(out.find("\"net2\""), out.find("\"net10\""));
  EXPECT_LT(out.find("search_domains"), out.find("warnings"));
}

TEST_F(ContainerCommandTest, TheTableIsForEyesAndFindingsNameFileAndLine) {
  WriteSdn(R"({"vnets":{"ids":{"blue":{"zone":"z"}}}})");

  const RunOutcome run = Parse(
      "hostname: web\nnet0: name=eth0,bridge=vmbr0,ip=10.0.0.5/24,gw=10.0.0.1,tag=7,trunks=8;9\nnet1: "
      "name=eth1,bridge=blue,link_down=1\n"
      "net2: name=eth2,brigde=x\n[pve:pending]\nmemory: 1\n",
      "table");

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, AllOf(HasSubstr("container        101"), HasSubstr("hostname         web"), HasSubstr("veth101i0"),
                             HasSubstr("vmbr0"), HasSubstr("vnet blue"), HasSubstr("10.0.0.5/24 via 10.0.0.1"),
                             HasSubstr("7, trunk 8;9"), HasSubstr("down"), HasSubstr("pending          memory")));
  EXPECT_EQ(run.err, path_ +
                         ":4: warning: net2: the interface is left out: there is no property 'brigde' (did you mean "
                         "'bridge'?)\n");
}

TEST_F(ContainerCommandTest, AContainerWithoutInterfacesSaysSo) {
  EXPECT_THAT(Parse("hostname: web\n", "table").out, HasSubstr("no interfaces\n"));
}

TEST_F(ContainerCommandTest, TheIdIsThatOfTheFileUnlessItIsGiven) {
  const std::string content = "net0: name=eth0,bridge=vmbr0\n";
  EXPECT_EQ(Document(content, {"--vmid", "777"})["extra"]["host_ifnames"]["net0"], "veth777i0");

  const std::string other = directory_.path() + "/backup.txt";
  std::ofstream(other) << content;
  const json document = json::parse(RunInTest({"container", "parse", other.c_str(), "--output", "json"}).out);
  EXPECT_TRUE(document["container_id"].is_null());
  EXPECT_THAT(document["extra"]["host_ifnames"], IsEmpty());
  ASSERT_EQ(document["warnings"].size(), 1u);
  EXPECT_EQ(document["warnings"][0]["line"], 0);
  EXPECT_THAT(document["warnings"][0]["message"].get<std::string>(), HasSubstr("give --vmid"));
  EXPECT_THAT(RunInTest({"container", "parse", other.c_str()}).out, HasSubstr("container        unknown"));
}

TEST_F(ContainerCommandTest, AnIdThatIsNoneIsWrongUsage) {
  for (const char* id : {"99", "1000000000", "web", "-101", ""}) {
    EXPECT_EQ(Parse("", "json", {"--vmid", id}).exit_code, kUsageError) << id;
  }
}

TEST_F(ContainerCommandTest, ADamagedSdnConfigurationIsAWarningAndAllAreBridges) {
  WriteSdn("{\"vnets\":[\xff");

  const json document = Document("net0: name=eth0,bridge=blue\n");

  EXPECT_EQ(document["interfaces"]["net0"]["bridge"], "blue");
  ASSERT_EQ(document["warnings"].size(), 1u);
  EXPECT_THAT(document["warnings"][0]["message"].get<std::string>(),
              HasSubstr("every bridge= is taken for a bridge: the running SDN configuration is damaged: "));
}

TEST_F(ContainerCommandTest, AnSdnFolderThatIsNotThereIsWrongUsage) {
  const std::string missing = directory_.path() + "/missing";
  std::ofstream(path_).close();

  const RunOutcome run = RunInTest({"container", "parse", path_.c_str(), "--sdn-dir", missing.c_str()});

  EXPECT_EQ(run.exit_code, kUsageError);
  EXPECT_THAT(run.err, HasSubstr(missing));
}

TEST_F(ContainerCommandTest, AnyBytesBecomeValidJson) {
  const std::string bytes =
      "#\xff%FF%00\nhostname: \xc3\nx: \xff\xfe" + std::string(1, '\0') +
      "\x1b[31m\nlxc.a: \xe2\x82\nhookscript: \x80\n\xfe\xff\nnet0: name=\x1b\xff\n[pve:pending]\nlxc.b: \xff\n";

  const RunOutcome run = Parse(bytes, "json");

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  ASSERT_FALSE(json::parse(run.out, nullptr, false).is_discarded()) << run.out;
  const RunOutcome table = Parse(bytes, "table");
  EXPECT_THAT(table.out + table.err, Not(HasSubstr("\x1b")));
}

TEST_F(ContainerCommandTest, OneEndlessCellDoesNotWidenTheTable) {
  std::string content = "net0: name=" + std::string(1'000'000, 'n') + ",bridge=" + std::string(1'000'000, 'b') + "\n";
  for (int i = 1; i < 32; ++i) content += "net" + std::to_string(i) + ": name=e" + std::to_string(i) + "\n";

  EXPECT_LT(Parse(content, "table").out.size(), 50'000u);
}

TEST_F(ContainerCommandTest, StandardInputIsRead) {
  std::istringstream input("net0: name=eth0,bridge=vmbr0\nnet1: x\n");
  std::streambuf* const before = std::cin.rdbuf(input.rdbuf());
  const RunOutcome run = RunInTest({"container", "parse", "-", "--vmid", "101"});
  std::cin.rdbuf(before);

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, HasSubstr("veth101i0"));
  EXPECT_THAT(run.err, HasSubstr("standard input:2: warning: net1: "));
}

TEST_F(ContainerCommandTest, AFileThatCannotBeReadIsNamed) {
  for (const std::string& file : {directory_.path() + "/102.conf", directory_.path()}) {
    const RunOutcome run = RunInTest({"container", "parse", file.c_str(), "--output", "json"});

    EXPECT_EQ(run.exit_code, kUsageError);
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, HasSubstr("cannot read '" + file + "'"));
  }
}

}  // namespace
}  // namespace pvebus::cli
