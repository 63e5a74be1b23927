#include "migration-service/host/route_map/nginx_text.h"

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::migration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What nginx would do with a map: the first expression that matches "METHOD:$uri" decides.
class Map {
 public:
  explicit Map(const std::string& text) {
    static const std::regex kLine("    \"~(.*)\" pvebus_(perl|rust);");
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
      std::smatch match;
      if (!std::regex_match(line, match, kLine)) continue;
      // ECMAScript has no \z, and its '$' is only the end.
      rules_.push_back({std::regex(absl::StrReplaceAll(match[1].str(), {{"\\z", "$"}})), match[2].str()});
    }
  }
  size_t size() const { return rules_.size(); }
  std::string Answer(const std::string& method, const std::string& uri) const {
    for (const Rule& rule : rules_) {
      if (std::regex_search(method + ":" + uri, rule.expression)) return rule.implementation;
    }
    return "perl";
  }

 private:
  struct Rule {
    std::regex expression;
    std::string implementation;
  };
  std::vector<Rule> rules_;
};

const std::vector<std::string>& Methods() {
  static const auto& methods = *new std::vector<std::string>{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "GETX"};
  return methods;
}

// Paths as $uri has them: decoded, without "//" and "..".
std::vector<std::string> Paths() {
  std::vector<std::string> paths = {""};
  const std::vector<std::string> firsts = {"nodes", "cluster", "access", "version", "nodesX", "storage"};
  const std::vector<std::string> seconds = {"", "pve1", "sdn", "sdnx", "network", "network-status", "xsdn", "a b", "a\nb"};
  const std::vector<std::string> thirds = {"", "network", "networks", "sdn", "sdn2", "qemu", "Network", "xnetwork"};
  const std::vector<std::string> fourths = {"", "vmbr0", "eno1.100", "zones", "network", "100\n"};
  for (const std::string& first : firsts) {
    for (const std::string& second : seconds) {
      for (const std::string& third : thirds) {
        for (const std::string& fourth : fourths) {
          std::string path = "/" + first;
          for (const std::string& segment : {second, third, fourth}) {
            if (segment.empty()) break;
            path += "/" + segment;
          }
          paths.push_back(path);
          paths.push_back(path + "/agent/network-get-interfaces");
        }
      }
    }
  }
  return paths;
}

// $uri as somebody would have to write it in a request.
std::string Encoded(const std::string& uri) { return absl::StrReplaceAll(uri, {{"\n", "%0A"}, {" ", "%20"}, {"?", "%3F"}}); }

// std::regex takes minutes for all of them with sanitizers.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kEach = 53;
#else
constexpr size_t kEach = 1;
#endif

void ExpectAgreement(const RouteTable& table) {
  for (const Phase phase : kPhases) {
    const Map map(NginxMap(table, phase));
    ASSERT_EQ(map.size(), table.RulesIn(phase).size());
    const std::vector<std::string> paths = Paths();
    for (size_t i = 0; i < paths.size(); i += kEach) {
      for (const std::string& method : Methods()) {
        for (const char* slash : {"", "/"}) {
          const std::string uri = "/api2/json" + paths[i] + slash;
          const Route route = table.Resolve(phase, *ParseEndpoint(method, Encoded(uri)));
          ASSERT_EQ(map.Answer(method, uri), NameOf(route.implementation)) << PhaseName(phase) << " " << method << " " << uri;
        }
      }
    }
  }
}

TEST(NginxTextTest, PerlOnlyIsTheDefault) {
  EXPECT_EQ(NginxMap(RouteTable({}, {}), Phase::kPerlOnly),
            "# Written by migration-service for the phase perl-only. What is changed here is lost.\n"
            "map \"$request_method:$uri\" $pvebus_upstream {\n"
            "    default pvebus_perl;\n"
            "}\n");
}

TEST(NginxTextTest, EveryRuleOfThePhaseIsALine) {
  EXPECT_EQ(NginxMap(RouteTable({}, {}), Phase::kRustAdvanced),
            "# Written by migration-service for the phase rust-advanced. What is changed here is lost.\n"
            "map \"$request_method:$uri\" $pvebus_upstream {\n"
            "    default pvebus_perl;\n"
            "    # rust-read-only: reads\n"
            "    \"~^(?:GET|HEAD):/api2/[^/]+(?:/[^/]+)*/?\\z\" pvebus_rust;\n"
            "    # rust-basic-write: writes of interfaces\n"
            "    \"~^(?:POST|DELETE):/api2/[^/]+/nodes/[^/]+/network/?\\z\" pvebus_rust;\n"
            "    # rust-basic-write: writes of one interface\n"
            "    \"~^(?:POST|PUT|DELETE):/api2/[^/]+/nodes/[^/]+/network/[^/]+/?\\z\" pvebus_rust;\n"
            "    # rust-advanced: the network of nodes\n"
            "    \"~^[A-Za-z_-]+:/api2/[^/]+/nodes/[^/]+/network[^/]*(?:/[^/]+)*/?\\z\" pvebus_rust;\n"
            "    # rust-advanced: the network of the cluster\n"
            "    \"~^[A-Za-z_-]+:/api2/[^/]+/cluster/network[^/]*(?:/[^/]+)*/?\\z\" pvebus_rust;\n"
            "}\n");
}

TEST(NginxTextTest, ExceptionsComeFirst) {
  const RouteTable table({*ParseOverride("get,put nodes/{node}/eno1.100+x perl"), *ParseOverride("* version rust")}, {});

  EXPECT_EQ(NginxMap(table, Phase::kPerlOnly),
            "# Written by migration-service for the phase perl-only. What is changed here is lost.\n"
            "map \"$request_method:$uri\" $pvebus_upstream {\n"
            "    default pvebus_perl;\n"
            "    # override 1\n"
            "    \"~^(?:GET|PUT):/api2/[^/]+/nodes/[^/]+/eno1\\.100\\+x/?\\z\" pvebus_perl;\n"
            "    # override 2\n"
            "    \"~^[A-Za-z_-]+:/api2/[^/]+/version/?\\z\" pvebus_rust;\n"
            "}\n");
}

TEST(NginxTextTest, ExpressionsAgreeWithTheTableOnEveryPath) { ExpectAgreement(RouteTable({}, {})); }

TEST(NginxTextTest, ExpressionsAgreeWithTheTableAlsoWithExceptions) {
  ExpectAgreement(RouteTable({*ParseOverride("GET,POST nodes/{node}/network/** perl"), *ParseOverride("* cluster/sdn rust"),
                              *ParseOverride("PUT ** rust"), *ParseOverride("* **/eno1.100 perl")},
                             {}));
}

TEST(NginxTextTest, WhatIsNotTheApiIsPerls) {
  const Map map(NginxMap(RouteTable({}, {}), Phase::kRustFull));

  for (const char* uri : {"/", "/index.html", "/pve2/js/pvemanagerlib.js", "/api2", "/api2/", "/xapi2/json/nodes",
                          "/API2/json/nodes", "/x/api2/json/nodes"}) {
    EXPECT_EQ(map.Answer("GET", uri), "perl") << uri;
  }
  EXPECT_EQ(map.Answer("GET", "/api2/json"), "rust");
  EXPECT_EQ(map.Answer("GET", "/api2/extjs/nodes"), "rust");
}

TEST(NginxTextTest, PhaseIsReadFromItsText) {
  for (const Phase phase : kPhases) EXPECT_EQ(PhaseOfNginxMap(NginxMap(RouteTable({}, {}), phase)), PhaseName(phase));
  for (const char* text : {"", "map $uri $x {}", "# Written by migration-service for the phase "}) {
    EXPECT_EQ(PhaseOfNginxMap(text), "") << text;
  }
}

}  // namespace
}  // namespace pvebus::migration
