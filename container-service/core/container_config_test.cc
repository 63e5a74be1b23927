#include "container-service/core/container_config.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

const Vnets kNoVnets;

ContainerConfig Parse(std::string_view text) { return ParseContainerConfig(text, 101, kNoVnets); }

// Of a file that has nothing wrong.
ContainerConfig Clean(std::string_view text) {
  ContainerConfig config = Parse(text);
  EXPECT_THAT(config.findings, IsEmpty()) << (config.findings.empty() ? "" : config.findings[0].message);
  return config;
}

ContainerFinding OnlyFinding(const ContainerConfig& config) {
  EXPECT_EQ(config.findings.size(), 1u);
  return config.findings.empty() ? ContainerFinding() : config.findings[0];
}

// As Proxmox VE writes it, with a snapshot and a change that waits for the next start.
constexpr std::string_view kWritten = R"(#Web server of the *shop*
#Owner%3A J%C3%B6rg
arch: amd64
cores: 2
features: nesting=1
hookscript: local:snippets/hook.pl
hostname: web1.example.com
lock: backup
memory: 2048
mp0: local-lvm:vm-101-disk-1,mp=/srv,size=32G
nameserver: 10.0.0.53 fd00::53
net0: name=eth0,bridge=vmbr0,firewall=1,gw=10.0.0.1,hwaddr=BC:24:11:AA:BB:CC,ip=10.0.0.5/24,type=veth
net1: name=eth1,bridge=blue,hwaddr=BC:24:11:AA:BB:CD,ip6=auto,type=veth
onboot: 1
ostype: debian
parent: before-upgrade
rootfs: local-lvm:vm-101-disk-0,size=8G
searchdomain: example.com lan
swap: 512
unprivileged: 1
lxc.cgroup2.devices.allow: c 226:0 rwm
lxc.cgroup2.devices.allow = c 226:128 rwm
lxc.mount.entry: /dev/dri dev/dri none bind,optional,create=dir

[pve:pending]
delete: swap,!net1
memory: 4096
net0: name=eth0,bridge=vmbr9,ip=dhcp,type=veth

[before-upgrade]
#Old text
arch: amd64
hostname: old
hookscript: local:snippets/old.pl
net0: name=eth0,bridge=vmbr7,ip=dhcp,type=veth
net5: name=eth5,bridge=vmbr7,type=veth
nameserver: 192.0.2.1
snaptime: 1700000000
lxc.cap.drop: sys_admin
)";

TEST(ContainerConfigTest, AFileOfProxmoxVeIsUnderstood) {
  const Vnets vnets = {{"blue", {.zone = "office", .tag = 12}}};

  const ContainerConfig config = ParseContainerConfig(kWritten, 101, vnets);

  EXPECT_THAT(config.findings, IsEmpty());
  EXPECT_EQ(config.container_id, 101u);
  EXPECT_THAT(
      config.interfaces,
      ElementsAre(
          Pair(0, NetworkInterface{.inside_name = "eth0",
                                   .type = "veth",
                                   .bridge = "vmbr0",
                                   .hwaddr = "BC:24:11:AA:BB:CC",
                                   .ip = "10.0.0.5/24",
                                   .gw = "10.0.0.1",
                                   .firewall = true}),
          Pair(1, NetworkInterface{
                      .inside_name = "eth1", .type = "veth", .vnet = "blue", .hwaddr = "BC:24:11:AA:BB:CD", .ip6 = "auto"})));
  EXPECT_THAT(config.host_devices, ElementsAre(Pair(0, HostDevicesOf(101, 0, true)), Pair(1, HostDevicesOf(101, 1, false))));
  EXPECT_EQ(config.hostname, "web1.example.com");
  EXPECT_THAT(config.nameservers, ElementsAre("10.0.0.53", "fd00::53"));
  EXPECT_THAT(config.search_domains, ElementsAre("example.com", "lan"));
  EXPECT_THAT(
      config.options,
      UnorderedElementsAre(Pair("arch", "amd64"), Pair("cores", "2"), Pair("features", "nesting=1"), Pair("memory", "2048"),
                           Pair("mp0", "local-lvm:vm-101-disk-1,mp=/srv,size=32G"), Pair("onboot", "1"), Pair("ostype", "debian"),
                           Pair("rootfs", "local-lvm:vm-101-disk-0,size=8G"), Pair("swap", "512"), Pair("unprivileged", "1")));
  EXPECT_EQ(config.description, "Web server of the *shop*\nOwner: Jörg");
  EXPECT_EQ(config.hookscript, "local:snippets/hook.pl");
  EXPECT_EQ(config.lock, "backup");
  EXPECT_EQ(config.parent, "before-upgrade");
  EXPECT_THAT(config.raw_lxc, ElementsAre(RawLxcLine{"lxc.cgroup2.devices.allow", "c 226:0 rwm"},
                                          RawLxcLine{"lxc.cgroup2.devices.allow", "c 226:128 rwm"},
                                          RawLxcLine{"lxc.mount.entry", "/dev/dri dev/dri none bind,optional,create=dir"}));
  EXPECT_THAT(config.pending, ElementsAre("swap", "net1", "memory", "net0"));
  EXPECT_THAT(config.snapshots, ElementsAre("before-upgrade"));
}

TEST(ContainerConfigTest, AnEmptyFileIsAContainerWithoutAnything) {
  const ContainerConfig config = Clean("");

  EXPECT_EQ(config.container_id, 101u);
  EXPECT_THAT(config.interfaces, IsEmpty());
  EXPECT_EQ(config.description, std::nullopt);
  EXPECT_EQ(config.hostname, std::nullopt);
}

TEST(ContainerConfigTest, NothingOfASectionLeaksIntoTheCurrentValues) {
  for (const char* section : {"[pve:pending]", "[PVE:PENDING]", "[snap]", "[vzdump]", "[current]", "[snap]\r"}) {
    const ContainerConfig config = Clean(absl::StrCat("arch: amd64\n", section, R"(
#description
net0: name=eth0,bridge=vmbr0
net1: nonsense
hostname: leaked
nameserver: 10.0.0.1
searchdomain: leaked
hookscript: local:snippets/leaked
lock: backup
parent: leaked
cores: 8
lxc.cap.drop: x
 nonsense
)"));

    EXPECT_THAT(config.interfaces, IsEmpty()) << section;
    EXPECT_THAT(config.options, ElementsAre(Pair("arch", "amd64"))) << section;
    EXPECT_THAT(config.raw_lxc, IsEmpty()) << section;
    EXPECT_THAT(config.nameservers, IsEmpty()) << section;
    EXPECT_THAT(config.search_domains, IsEmpty()) << section;
    for (const auto& text : {config.hostname, config.hookscript, config.lock, config.parent, config.description}) {
      EXPECT_EQ(text, std::nullopt) << section;
    }
  }
}

TEST(ContainerConfigTest, WhatIsNearlyASectionDoesNotLeakEither) {
  const ContainerConfig config = Parse("arch: amd64\n[a]\nnet0: name=eth0\n[snap one]\nnet1: name=eth1\n");

  EXPECT_THAT(config.interfaces, IsEmpty());
  EXPECT_THAT(config.snapshots, IsEmpty());
  ASSERT_EQ(config.findings.size(), 2u);
  EXPECT_EQ(config.findings[0].line, 2u);
  EXPECT_THAT(config.findings[0].message, AllOf(HasSubstr("'[a]' is neither"), HasSubstr("Proxmox VE reads on")));
}

TEST(ContainerConfigTest, PendingKeysAreListedOnceAndDeletionsByWhatTheyDelete) {
  const ContainerConfig config =
      Clean("[pve:pending]\n#text\n#more\nmemory: 1\nmemory: 2\ndelete: !net1;swap,memory\nlxc.cap.drop: x\ncores:\n\n!!\n");

  EXPECT_THAT(config.pending, ElementsAre("description", "memory", "net1", "swap", "lxc.cap.drop", "cores"));
}

TEST(ContainerConfigTest, ALaterPendingSectionReplacesAnEarlierOneAndSnapshotsAreNamedOnce) {
  const ContainerConfig config = Clean("[pve:pending]\nmemory: 1\n[s1]\n[s2]\n[s1]\n[pve:pending]\nswap: 1\n");

  EXPECT_THAT(config.pending, ElementsAre("swap"));
  EXPECT_THAT(config.snapshots, ElementsAre("s1", "s2"));
}

TEST(ContainerConfigTest, ABadInterfaceIsLeftOutWithAFindingAndTheRestStays) {
  const ContainerConfig config = Parse(
      "hostname: web\nnet0: name=eth0,bridge=vmbr0,tag=5000\nnet1: name=eth1,bridge=vmbr1\nnet2: bridge=vmbr0\nmemory: 1\n");

  ASSERT_EQ(config.interfaces.size(), 1u);
  EXPECT_EQ(config.interfaces.at(1).bridge, "vmbr1");
  EXPECT_EQ(config.host_devices.size(), 1u);
  EXPECT_EQ(config.hostname, "web");
  EXPECT_THAT(config.options, ElementsAre(Pair("memory", "1")));
  ASSERT_EQ(config.findings.size(), 2u);
  EXPECT_EQ(config.findings[0].line, 2u);
  EXPECT_EQ(config.findings[0].key, "net0");
  EXPECT_EQ(config.findings[0].message, "the interface is left out: 'tag' is wrong: '5000' is no VLAN tag from 1 to 4094");
  EXPECT_EQ(config.findings[1].key, "net2");
}

TEST(ContainerConfigTest, InterfacesBeyondThe32AreLeftOut) {
  const ContainerConfig config = Parse("net31: name=a\nnet32: name=b\nnet01: name=c\n");

  EXPECT_THAT(config.interfaces, ElementsAre(Pair(31, NetworkInterface{.inside_name = "a"})));
  ASSERT_EQ(config.findings.size(), 2u);
  EXPECT_THAT(config.findings[0].message, HasSubstr("net0 to net31"));
  EXPECT_THAT(config.options, IsEmpty());
}

TEST(ContainerConfigTest, OfARepeatedKeyTheLastOneCountsEvenWhenItIsBad) {
  ContainerConfig config = Parse("net0: name=eth0,bridge=vmbr0\nmemory: 1\nnet0: name=eth9,bridge=vmbr9\nmemory: 2\n");
  EXPECT_EQ(config.interfaces.at(0).inside_name, "eth9");
  EXPECT_EQ(config.options.at("memory"), "2");
  ASSERT_EQ(config.findings.size(), 2u);
  EXPECT_EQ(config.findings[0].line, 3u);
  EXPECT_THAT(config.findings[0].message, HasSubstr("line 1, too; the last one counts"));

  config = Parse("net0: name=eth0\nnet0: bad\n");
  EXPECT_THAT(config.interfaces, IsEmpty());

  config = Parse("net0: name=eth0\nnet0:\n");
  EXPECT_EQ(config.interfaces.size(), 1u) << "what has no value does not replace";
}

TEST(ContainerConfigTest, TheRunningSdnDecidesWhatIsAVnet) {
  const std::string text = "net0: name=eth0,bridge=blue\nnet1: name=eth1,bridge=Blue\nnet2: name=eth2\n";
  const ContainerConfig config = ParseContainerConfig(text, 101, {{"blue", {}}});

  EXPECT_EQ(config.interfaces.at(0).vnet, "blue");
  EXPECT_EQ(config.interfaces.at(0).bridge, std::nullopt);
  EXPECT_EQ(config.interfaces.at(1).bridge, "Blue");
  EXPECT_EQ(config.interfaces.at(1).vnet, std::nullopt);
  EXPECT_EQ(config.interfaces.at(2).bridge, std::nullopt);
  EXPECT_EQ(config.interfaces.at(2).vnet, std::nullopt);
  EXPECT_EQ(Parse(text).interfaces.at(0).bridge, "blue");
}

TEST(ContainerConfigTest, NamesThatCannotExistAreFindings) {
  const ContainerConfig config = ParseContainerConfig(
      "net10: name=eth10,bridge=vmbr0,firewall=1\nnet0: name=abcdefghijklmnop,bridge=abcdefghijklmno\n", 123456789, kNoVnets);

  std::vector<std::string> messages;
  for (const ContainerFinding& finding : config.findings) messages.push_back(finding.key + " " + finding.message);
  EXPECT_THAT(messages,
              ElementsAre(HasSubstr("net10 its device on the host, 'veth123456789i10', cannot exist"),
                          HasSubstr("'fwbr123456789i10'"), HasSubstr("'fwln123456789i10'"), HasSubstr("'fwpr123456789p10'"),
                          HasSubstr("net0 its name inside, 'abcdefghijklmnop', cannot exist: a name has at most 15")));
  EXPECT_EQ(config.interfaces.size(), 2u) << "kept";
  EXPECT_EQ(OnlyFinding(ParseContainerConfig("net0: name=a,bridge=abcdefghijklmnop", 101, {{"abcdefghijklmnop", {}}})).message,
            "its vnet, 'abcdefghijklmnop', cannot exist: a name has at most 15 bytes");
}

TEST(ContainerConfigTest, TwoInterfacesOfOneNameInsideAreAFinding) {
  const ContainerFinding finding = OnlyFinding(Parse("net0: name=eth0\nnet3: name=eth0\n"));

  EXPECT_EQ(finding.key, "net3");
  EXPECT_EQ(finding.message, "its name inside, 'eth0', is that of net0, too");
}

TEST(ContainerConfigTest, WithoutAnIdThereAreNoNamesOnTheHost) {
  const ContainerConfig config = ParseContainerConfig("net0: name=eth0\n", std::nullopt, kNoVnets);

  EXPECT_EQ(config.container_id, std::nullopt);
  EXPECT_EQ(config.interfaces.size(), 1u);
  EXPECT_THAT(config.host_devices, IsEmpty());
}

TEST(ContainerConfigTest, ListsAreSplitAndWhatIsWrongInThemIsLeftOut) {
  const ContainerConfig config = Parse(
      "nameserver: 10.0.0.1,dns.example.com;FD00::0:53 fe80::1%eth0\nsearchdomain: lan, exa_mple.com ;b.c\nhostname: a_b\n");

  EXPECT_THAT(config.nameservers, ElementsAre("10.0.0.1", "fd00::53", "fe80::1%eth0"));
  EXPECT_THAT(config.search_domains, ElementsAre("lan", "b.c"));
  EXPECT_EQ(config.hostname, std::nullopt);
  ASSERT_EQ(config.findings.size(), 3u);
  EXPECT_EQ(config.findings[0].key, "nameserver");
  EXPECT_EQ(config.findings[0].message, "'dns.example.com' is left out: it is no IP address");
  EXPECT_EQ(config.findings[1].key, "searchdomain");
  EXPECT_EQ(config.findings[2].key, "hostname");
  EXPECT_EQ(Parse("hostname: " + std::string(256, 'a')).hostname, std::nullopt);
}

TEST(ContainerConfigTest, TheDescriptionKeepsItsLines) {
  EXPECT_EQ(Clean("#one\n#\n# two\ncores: 1\n#three").description, "one\n\n two\nthree");
  EXPECT_EQ(Clean("#").description, "");
  EXPECT_EQ(Clean("description: a%0Ab").description, "a\nb");
}

TEST(ContainerConfigTest, FilesWithCarriageReturnsAreReadAllTheSame) {
  const ContainerConfig config = Clean("#text\r\nhostname: web\r\nnet0: name=eth0,ip=dhcp\r\nlxc.cap.drop: x\r\n\r\n[snap]\r\n");

  EXPECT_EQ(config.hostname, "web");
  EXPECT_EQ(config.interfaces.at(0).ip, "dhcp");
  EXPECT_EQ(config.description, "text");
  EXPECT_THAT(config.raw_lxc, ElementsAre(RawLxcLine{"lxc.cap.drop", "x"}));
  EXPECT_THAT(config.snapshots, ElementsAre("snap"));
}

TEST(ContainerConfigTest, LinesThatProxmoxVeIgnoresAreNamed) {
  struct Case {
    const char* line;
    const char* message;
  };
  const std::vector<Case> cases = {{" net0: name=eth0", "begins at the start of the line"},
                                   {"Net0: name=eth0", "'Net0' is no key (did you mean 'net0'?)"},
                                   {"host-name: x", "'host-name' is no key (did you mean 'hostname'?)"},
                                   {"net0 = name=eth0", "right is 'key: value'"},
                                   {"net0 : name=eth0", "'net0 ' is no key"},
                                   {"\xef\xbb\xbfhostname: web", "byte order mark"},
                                   {"net0:", "it has no value and is left out"},
                                   {"delete: net0", "it counts in [pve:pending] only"}};
  for (const Case& expected : cases) {
    const ContainerConfig config = Parse(absl::StrCat("arch: amd64\n", expected.line, "\nmemory: 1\n"));
    const ContainerFinding finding = OnlyFinding(config);

    EXPECT_EQ(finding.line, 2u) << expected.line;
    EXPECT_THAT(finding.message, HasSubstr(expected.message)) << expected.line;
    EXPECT_EQ(config.options.size(), 2u) << expected.line;
    EXPECT_THAT(config.interfaces, IsEmpty()) << expected.line;
  }
}

TEST(ContainerConfigTest, AnUnknownOptionIsKeptAndNamed) {
  const ContainerConfig config = Parse("nameservers: 10.0.0.1\nmemory: 1\n");

  EXPECT_THAT(config.nameservers, IsEmpty());
  EXPECT_EQ(config.options.at("nameservers"), "10.0.0.1");
  EXPECT_EQ(OnlyFinding(config).message, "there is no such option (did you mean 'nameserver'?); Proxmox VE does nothing with it");
}

TEST(ContainerConfigTest, FindingsAreInTheOrderOfTheFile) {
  const ContainerConfig config = Parse("x: 1\nnet0: bad\n lost\nnet0: worse\n[?]\n");

  std::vector<size_t> lines;
  for (const ContainerFinding& finding : config.findings) lines.push_back(finding.line);
  EXPECT_THAT(lines, ElementsAre(1, 3, 4, 4, 5));
}

TEST(ContainerConfigTest, FindingsAreBoundedAndTheRestIsCounted) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += " lost\n";

  const ContainerConfig config = Parse(text);

  ASSERT_EQ(config.findings.size(), kMostFindings + 1);
  EXPECT_EQ(config.findings.back().message, "4000 more findings are left out; is this a container file?");
  EXPECT_EQ(config.findings.back().line, 0u);
}

TEST(ContainerConfigTest, FindingsAreValidUtf8) {
  const ContainerConfig config = Parse("net0: name=\xff\xfe\n\xc3(: x\nhostname: \xe2\x82\n");

  ASSERT_EQ(config.findings.size(), 3u);
  for (const ContainerFinding& finding : config.findings) {
    EXPECT_THAT(finding.message, AllOf(HasSubstr("?"), Not(HasSubstr("\xff")), Not(HasSubstr("\xc3")), Not(HasSubstr("\xe2"))));
  }
}

TEST(ContainerConfigTest, TheIdComesFromTheNameOfTheFile) {
  EXPECT_EQ(ContainerIdOf("101.conf"), 101u);
  EXPECT_EQ(ContainerIdOf("/etc/pve/lxc/101.conf"), 101u);
  EXPECT_EQ(ContainerIdOf("./999999999.conf"), 999999999u);
  EXPECT_EQ(ContainerIdOf("100.conf"), 100u);
  for (const char* name : {"", "101", ".conf", "web.conf", "101.conf.bak", "99.conf", "1000000000.conf", "0101.conf", "-101.conf",
                           "+101.conf", "101 .conf", "/101.conf/x", "99999999999.conf", "101.conf/"}) {
    EXPECT_EQ(ContainerIdOf(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace pvebus::container
