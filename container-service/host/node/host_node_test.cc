#include "container-service/host/node/host_node.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::container {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;

class HostNodeTest : public ::testing::Test {
 protected:
  HostNodeTest() {
    std::string name = ::testing::TempDir() + "host-node-XXXXXX";
    root_ = mkdtemp(name.data());
    for (const char* folder : {"lxc", "sdn", "cgroup"}) fs::create_directory(root_ / folder);
  }
  ~HostNodeTest() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) { std::ofstream(root_ / file) << text; }
  std::string ReasonOf(uint32_t id) { return ErrorReason(node().ReadConfig(id).status()); }
  HostNode node() const { return HostNode({root_ / "lxc", root_ / "sdn", root_ / "cgroup", root_ / "unix"}); }

  fs::path root_;
};

TEST_F(HostNodeTest, AContainerIsReadWithTheVnetsOfTheRunningSdn) {
  Write("lxc/101.conf", "net0: name=eth0,bridge=blue\nnet1: name=eth1,bridge=vmbr0\n");
  Write("sdn/.running-config", R"({"vnets":{"ids":{"blue":{"zone":"z"}}},"zones":{"ids":{}}})");

  const auto config = node().ReadConfig(101);

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->interfaces.at(0).vnet, "blue");
  EXPECT_EQ(config->interfaces.at(1).bridge, "vmbr0");
  EXPECT_THAT(config->findings, IsEmpty());
}

TEST_F(HostNodeTest, WhatCannotBeReadIsNamed) {
  fs::create_directory(root_ / "lxc/102.conf");
  Write("lxc/103.conf", std::string((1 << 20) + 1, '#'));
  ASSERT_EQ(symlink("/nowhere", (root_ / "lxc/104.conf").c_str()), 0);

  EXPECT_EQ(ReasonOf(101), "CONTAINER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(102), "CONTAINER_UNREADABLE");
  EXPECT_EQ(ReasonOf(103), "CONTAINER_UNREADABLE");
  EXPECT_EQ(ReasonOf(104), "CONTAINER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(99), "ID_INVALID");
  EXPECT_EQ(ReasonOf(1'000'000'000), "ID_INVALID");
}

TEST_F(HostNodeTest, ADamagedSdnConfigurationIsAFindingAndTheContainerIsReadAllTheSame) {
  Write("lxc/101.conf", "net0: name=eth0,bridge=blue\n");
  Write("sdn/.running-config", "{");

  const auto config = node().ReadConfig(101);

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->interfaces.at(0).bridge, "blue");
  ASSERT_EQ(config->findings.size(), 1);
  EXPECT_THAT(config->findings[0].message, HasSubstr("every bridge= is taken for a bridge"));
}

TEST_F(HostNodeTest, ARunningContainerHasItsCommandSocket) {
  Write("unix",
        "Num RefCount\n0: 00000002 00000000 00010000 0001 01 77 @/var/lib/lxc/1101/command\n"
        "0: 00000002 00000000 00010000 0001 01 78 @/var/lib/lxc/101/command\n");

  EXPECT_TRUE(node().IsRunning(101));
  EXPECT_TRUE(node().IsRunning(1101));
  EXPECT_FALSE(node().IsRunning(110));
}

TEST_F(HostNodeTest, CgroupsOfContainersAreFoundAndAreOthersWithEachStart) {
  for (const char* folder : {"cgroup/101", "cgroup/lxc.monitor", "cgroup/99"}) fs::create_directory(root_ / folder);

  EXPECT_THAT(node().Cgroups(), ElementsAre(Key(101)));
  EXPECT_THAT(HostNode({.cgroup_directory = root_ / "nowhere"}).Cgroups(), IsEmpty());
}

}  // namespace
}  // namespace pvebus::container
