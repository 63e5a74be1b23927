#include "migration-service/core/route_table.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kMethods = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};

// Below a node; some are no paths of the API, and only look like it.
const std::vector<std::string> kBelowNodes = {"",
                                              "/",
                                              "/network",
                                              "/network/",
                                              "/network/vmbr0",
                                              "/network/network",
                                              "/network/sdn",
                                              "/network/bond0.100",
                                              "/network/vmbr0%3A1",
                                              "/network/vmbr0/status",
                                              "/networking",
                                              "/network-x/y",
                                              "/networks",
                                              "/Network",
                                              "/net",
                                              "/netstat",
                                              "/my-network",
                                              "/sdn",
                                              "/sdn/zones",
                                              "/sdn/zones/z1",
                                              "/sdn/zones/z1/content",
                                              "/sdn/zones/network/bridges",
                                              "/sdn/vnets/v1/mac-vrf",
                                              "/sdnx",
                                              "/sdn-x/y",
                                              "/Sdn",
                                              "/sd",
                                              "/isdn",
                                              "/status",
                                              "/version",
                                              "/dns",
                                              "/hosts",
                                              "/time",
                                              "/syslog",
                                              "/journal",
                                              "/report",
                                              "/rrddata",
                                              "/subscription",
                                              "/apt/update",
                                              "/apt/versions",
                                              "/certificates/acme/certificate",
                                              "/ceph/osd/0",
                                              "/ceph/pool/network",
                                              "/disks/list",
                                              "/disks/zfs/network",
                                              "/firewall/rules",
                                              "/firewall/rules/0",
                                              "/firewall/options",
                                              "/hardware/pci/0000:00:02.0",
                                              "/capabilities/qemu/cpu",
                                              "/services/networking/state",
                                              "/services/networking/restart",
                                              "/services/sdn/state",
                                              "/tasks",
                                              "/tasks/UPID%3Anetwork/log",
                                              "/qemu",
                                              "/qemu/100",
                                              "/qemu/100/config",
                                              "/qemu/100/status/start",
                                              "/qemu/100/agent/network-get-interfaces",
                                              "/qemu/100/snapshot/network",
                                              "/qemu/100/snapshot/sdn/rollback",
                                              "/qemu/100/firewall/rules",
                                              "/qemu/network",
                                              "/lxc",
                                              "/lxc/101/config",
                                              "/lxc/101/interfaces",
                                              "/lxc/101/status/stop",
                                              "/storage",
                                              "/storage/local/content",
                                              "/storage/network/content",
                                              "/storage/sdn",
                                              "/storage/local/content/local:iso/network.iso",
                                              "/storage/local/content/network/network",
                                              "/scan/nfs",
                                              "/vzdump",
                                              "/wakeonlan",
                                              "/vncshell",
                                              "/replication/100-0/status",
                                              "/startall",
                                              "/execute"};

const std::vector<std::string> kOthers = {"",
                                          "version",
                                          "nodes",
                                          "network",
                                          "network/x",
                                          "sdn",
                                          "sdn/zones",
                                          "cluster",
                                          "cluster/sdn",
                                          "cluster/sdn/",
                                          "cluster/sdn/zones",
                                          "cluster/sdn/zones/z1",
                                          "cluster/sdn/vnets",
                                          "cluster/sdn/vnets/network",
                                          "cluster/sdn/vnets/v1/subnets",
                                          "cluster/sdn/vnets/v1/subnets/z1-10.0.0.0-24",
                                          "cluster/sdn/vnets/v1/ips",
                                          "cluster/sdn/vnets/v1/firewall/rules/0",
                                          "cluster/sdn/controllers/c1",
                                          "cluster/sdn/ipams/pve/status",
                                          "cluster/sdn/dns/d1",
                                          "cluster/sdn/fabrics/node/f1",
                                          "cluster/sdnx",
                                          "cluster/isdn",
                                          "cluster/network",
                                          "cluster/network/x",
                                          "cluster/resources",
                                          "cluster/status",
                                          "cluster/nextid",
                                          "cluster/tasks",
                                          "cluster/log",
                                          "cluster/options",
                                          "cluster/config/nodes/network",
                                          "cluster/config/nodes/sdn",
                                          "cluster/ha/groups/network",
                                          "cluster/ha/resources/vm:100",
                                          "cluster/firewall/groups/network",
                                          "cluster/firewall/ipset/sdn/10.0.0.1",
                                          "cluster/firewall/aliases/network",
                                          "cluster/mapping/pci/network",
                                          "cluster/backup/network",
                                          "cluster/jobs/realm-sync/sdn",
                                          "cluster/metrics/server/network",
                                          "cluster/notifications/endpoints/smtp/network",
                                          "cluster/acme/plugins/sdn",
                                          "cluster/replication/100-0",
                                          "cluster/ceph/flags",
                                          "access",
                                          "access/ticket",
                                          "access/users/network@pve",
                                          "access/users/root@pam/token/network",
                                          "access/groups/network",
                                          "access/roles/sdn",
                                          "access/domains/network/sync",
                                          "access/acl",
                                          "access/password",
                                          "access/permissions",
                                          "pools/network",
                                          "pools/sdn",
                                          "storage",
                                          "storage/network",
                                          "storage/network-backup",
                                          "storage/sdn",
                                          "storage/local"};

std::vector<std::string> Paths() {
  std::vector<std::string> paths = kOthers;
  for (const char* node :
       {"pve1", "network", "networker", "network-1", "sdn", "sdn1", "nodes", "cluster", "qemu", "pve.example.org"}) {
    for (const std::string& below : kBelowNodes) paths.push_back("nodes/" + std::string(node) + below);
  }
  return paths;
}

// The table of the phases once more, in other words.
bool RustAnswers(Phase phase, const std::string& method, const std::string& path) {
  if (phase == Phase::kPerlOnly) return false;
  if (phase == Phase::kRustFull) return true;
  if (method == "GET" || method == "HEAD") return true;
  if (phase == Phase::kRustReadOnly) return false;
  std::string rest;
  if (absl::StartsWith(path, "nodes/")) {
    const size_t node_end = path.find('/', 6);
    if (node_end == std::string::npos) return false;
    rest = path.substr(node_end + 1);
    const std::string name = absl::EndsWith(rest, "/") ? rest.substr(0, rest.size() - 1) : rest;
    if (name == "network" && (method == "POST" || method == "DELETE")) return true;
    const bool one = absl::StartsWith(name, "network/") && name.find('/', 8) == std::string::npos;
    if (one && (method == "POST" || method == "PUT" || method == "DELETE")) return true;
  } else if (absl::StartsWith(path, "cluster/")) {
    rest = path.substr(8);
  }
  if (phase == Phase::kRustBasicWrite) return false;
  if (absl::StartsWith(rest, "network")) return true;
  if (phase == Phase::kRustAdvanced) return false;
  return absl::StartsWith(rest, "sdn");
}

RouteTable Plain() { return RouteTable({}, {}); }

RouteTable With(const std::vector<std::string>& lines) {
  std::vector<RouteRule> overrides;
  for (const std::string& line : lines) {
    auto rule = ParseOverride(line);
    EXPECT_TRUE(rule.ok()) << rule.status();
    if (rule.ok()) overrides.push_back(*std::move(rule));
  }
  return RouteTable(std::move(overrides), {});
}

Route Of(const RouteTable& table, Phase phase, const std::string& method, const std::string& path) {
  return table.Resolve(phase, *ParseEndpoint(method, path));
}

template <typename Check>
void ForAll(Check check) {
  const std::vector<std::string> paths = Paths();
  for (const Phase phase : kPhases) {
    for (const std::string& method : kMethods) {
      for (const std::string& path : paths) {
        check(phase, method, path);
        if (testing::Test::HasFailure()) FAIL() << "at " << PhaseName(phase) << " " << method << " " << path;
      }
    }
  }
}

TEST(RouteTableTest, IsTheTableOfThePhasesForAllPhasesMethodsAndPaths) {
  const RouteTable table = Plain();
  ForAll([&](Phase phase, const std::string& method, const std::string& path) {
    const Route route = Of(table, phase, method, path);
    EXPECT_EQ(route.implementation == Implementation::kRust, RustAnswers(phase, method, path));
    EXPECT_EQ(route.rule == "default", route.implementation == Implementation::kPerl);
  });
}

TEST(RouteTableTest, SpellingOfAPathDoesNotMatter) {
  const RouteTable table = Plain();
  ForAll([&](Phase phase, const std::string& method, const std::string& path) {
    const Route route = Of(table, phase, method, path);
    EXPECT_EQ(Of(table, phase, method, "/api2/json/" + path).rule, route.rule);
    EXPECT_EQ(Of(table, phase, method, "/api2/extjs//x/../" + absl::StrReplaceAll(path, {{"/", "%2F"}}) + "/?a=b").rule,
              route.rule);
  });
}

// Which phase is the first in which the new implementation answers: written down one by one.
TEST(RouteTableTest, RealCallsBeginInTheirPhase) {
  struct Call {
    Phase first;
    const char* method;
    const char* path;
  };
  const Call calls[] = {
      {Phase::kRustReadOnly, "GET", "/api2/json/version"},
      {Phase::kRustReadOnly, "GET", "/api2/json/nodes/pve1/network"},
      {Phase::kRustReadOnly, "GET", "/api2/json/cluster/sdn/vnets?pending=1"},
      {Phase::kRustReadOnly, "GET", "/api2/json/nodes/pve1/qemu/100/agent/network-get-interfaces"},
      {Phase::kRustReadOnly, "HEAD", "/api2/json/nodes/pve1/qemu/100/config"},
      {Phase::kRustBasicWrite, "POST", "/api2/json/nodes/pve1/network"},
      {Phase::kRustBasicWrite, "DELETE", "/api2/json/nodes/pve1/network"},
      {Phase::kRustBasicWrite, "PUT", "/api2/extjs/nodes/pve1/network/vmbr0"},
      {Phase::kRustBasicWrite, "DELETE", "/api2/json/nodes/network/network/sdn"},
      {Phase::kRustAdvanced, "PUT", "/api2/json/nodes/pve1/network"},
      {Phase::kRustAdvanced, "PUT", "/api2/json/nodes/pve1/network/"},
      {Phase::kRustAdvanced, "OPTIONS", "/api2/json/nodes/pve1/network/vmbr0"},
      {Phase::kRustSdn, "PUT", "/api2/json/cluster/sdn"},
      {Phase::kRustSdn, "POST", "/api2/json/cluster/sdn/zones"},
      {Phase::kRustSdn, "PUT", "/api2/json/cluster/sdn/vnets/v1/subnets/z1-10.0.0.0-24"},
      {Phase::kRustSdn, "DELETE", "/api2/json/cluster/sdn/vnets/network"},
      {Phase::kRustSdn, "POST", "/api2/json/nodes/pve1/sdn/zones"},
      {Phase::kRustFull, "POST", "/api2/json/nodes/network/qemu"},
      {Phase::kRustFull, "POST", "/api2/json/nodes/networker/qemu/100/status/start"},
      {Phase::kRustFull, "POST", "/api2/json/nodes/sdn/vzdump"},
      {Phase::kRustFull, "PUT", "/api2/json/nodes/network"},
      {Phase::kRustFull, "PUT", "/api2/json/storage/network-backup"},
      {Phase::kRustFull, "POST", "/api2/json/nodes/pve1/services/networking/restart"},
      {Phase::kRustFull, "PUT", "/api2/json/cluster/firewall/aliases/network"},
      {Phase::kRustFull, "PUT", "/api2/json/nodes/pve1/dns"},
      {Phase::kRustFull, "POST", "/api2/json/access/ticket"},
  };
  const RouteTable table = Plain();
  for (const Call& call : calls) {
    for (const Phase phase : kPhases) {
      EXPECT_EQ(Of(table, phase, call.method, call.path).implementation,
                phase >= call.first ? Implementation::kRust : Implementation::kPerl)
          << PhaseName(phase) << " " << call.method << " " << call.path;
    }
  }
}

TEST(RouteTableTest, WhatAPhaseGivesToRustEveryLaterOneGivesAndLoweringTakesAway) {
  const RouteTable table = Plain();
  for (const std::string& method : kMethods) {
    for (const std::string& path : Paths()) {
      int before = 0;
      for (const Phase phase : kPhases) {
        const int now = Of(table, phase, method, path).implementation == Implementation::kRust ? 1 : 0;
        EXPECT_GE(now, before) << PhaseName(phase) << " " << method << " " << path;
        before = now;
      }
      EXPECT_EQ(Of(table, Phase::kPerlOnly, method, path).implementation, Implementation::kPerl);
    }
  }
}

TEST(RouteTableTest, WriteIsNeverRepeatedAndPerlHasNoOther) {
  const RouteTable table = With({"* nodes/{node}/network/** rust", "GET,POST version perl"});
  ForAll([&](Phase phase, const std::string& method, const std::string& path) {
    const Route route = Of(table, phase, method, path);
    const bool read = method == "GET" || method == "HEAD";
    const Fallback expected = route.implementation == Implementation::kPerl ? Fallback::kNone
                              : read                                        ? Fallback::kAllowed
                                                                            : Fallback::kIfNotSent;
    EXPECT_EQ(route.fallback, expected);
  });
}

TEST(RouteTableTest, OverrideHoldsInEveryPhase) {
  const RouteTable table = With({"GET,PUT nodes/{node}/network/** perl", "* cluster/sdn rust"});
  ForAll([&](Phase phase, const std::string& method, const std::string& path) {
    const Endpoint endpoint = *ParseEndpoint(method, path);
    const bool of_network = endpoint.segments.size() >= 3 && endpoint.segments[0] == "nodes" && endpoint.segments[2] == "network";
    const Route route = table.Resolve(phase, endpoint);
    if (of_network && (method == "GET" || method == "PUT")) {
      EXPECT_EQ(route.implementation, Implementation::kPerl);
      EXPECT_EQ(route.rule, "override 1");
    } else if (endpoint.path() == "cluster/sdn") {
      EXPECT_EQ(route.implementation, Implementation::kRust);
      EXPECT_EQ(route.rule, "override 2");
    } else {
      EXPECT_EQ(route.implementation == Implementation::kRust, RustAnswers(phase, method, path));
    }
  });
}

TEST(RouteTableTest, FirstOverrideThatFitsWins) {
  const RouteTable table = With({"* version rust", "* ** perl", "* nodes rust"});

  for (const Phase phase : kPhases) {
    EXPECT_EQ(Of(table, phase, "POST", "version").rule, "override 1");
    EXPECT_EQ(Of(table, phase, "POST", "version").implementation, Implementation::kRust);
    EXPECT_EQ(Of(table, phase, "GET", "nodes").rule, "override 2");
    EXPECT_EQ(Of(table, phase, "GET", "nodes").implementation, Implementation::kPerl);
  }
}

TEST(RouteTableTest, RulesAreThoseThatDecide) {
  const RouteTable table = With({"* version rust"});
  std::vector<std::string> names;
  for (const RouteRule& rule : table.RulesIn(Phase::kRustSdn)) names.push_back(rule.name);

  EXPECT_THAT(names, ElementsAre("override 1", "rust-read-only: reads", "rust-basic-write: writes of interfaces",
                                 "rust-basic-write: writes of one interface", "rust-advanced: the network of nodes",
                                 "rust-advanced: the network of the cluster", "rust-sdn: the SDN of nodes",
                                 "rust-sdn: the SDN of the cluster"));
  EXPECT_EQ(table.RulesIn(Phase::kPerlOnly).size(), 1u);
  ForAll([&](Phase phase, const std::string& method, const std::string& path) {
    const Endpoint endpoint = *ParseEndpoint(method, path);
    std::string first = "default";
    for (const RouteRule& rule : table.RulesIn(phase)) {
      if (first == "default" && rule.Fits(endpoint)) first = rule.name;
    }
    EXPECT_EQ(table.Resolve(phase, endpoint).rule, first);
  });
}

TEST(RouteTableTest, ReadsAndWritesHaveTheirTimeouts) {
  const RouteTable table({}, {.read = std::chrono::seconds(3), .write = std::chrono::seconds(7)});

  EXPECT_EQ(Of(table, Phase::kPerlOnly, "GET", "version").timeout, std::chrono::seconds(3));
  EXPECT_EQ(Of(table, Phase::kRustFull, "HEAD", "version").timeout, std::chrono::seconds(3));
  EXPECT_EQ(Of(table, Phase::kRustFull, "PUT", "version").timeout, std::chrono::seconds(7));
}

TEST(OverrideTest, LineHasMethodsPatternAndImplementation) {
  const RouteRule rule = *ParseOverride("  get,PUT\t/api2/json/nodes/{node}/network/**   perl ");

  EXPECT_THAT(rule.methods, ElementsAre("GET", "PUT"));
  EXPECT_EQ(rule.pattern.text(), "nodes/{node}/network/**");
  EXPECT_EQ(rule.implementation, Implementation::kPerl);
  EXPECT_TRUE(ParseOverride("* version rust")->methods.empty());
  EXPECT_EQ(NameOf(ParseOverride("* version rust")->implementation), "rust");
}

TEST(OverrideTest, LineThatIsNoneSaysWhatIsWrong) {
  const std::pair<const char*, const char*> lines[] = {
      {"", "METHODS PATTERN perl|rust"},
      {"GET version", "METHODS PATTERN perl|rust"},
      {"GET version perl rust", "METHODS PATTERN perl|rust"},
      {"GET, version perl", "methods"},
      {"GET,*  version perl", "methods"},
      {"G/T version perl", "methods"},
      {"GET *a perl", "no pattern such as"},
      {"GET version Perl", "perl or rust"},
      {"GET version python", "perl or rust"},
  };
  for (const auto& [line, why] : lines) {
    const absl::Status status = ParseOverride(line).status();
    EXPECT_EQ(ErrorReason(status), "OVERRIDE_INVALID") << line;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << line;
  }
}

}  // namespace
}  // namespace pvebus::migration
