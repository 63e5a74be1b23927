#include "migration-service/core/endpoint.h"

#include <random>
#include <regex>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string PathOf(std::string_view path) {
  const auto endpoint = ParseEndpoint("GET", path);
  return endpoint.ok() ? endpoint->path() : endpoint.status().ToString();
}
std::string PathError(std::string_view path) { return ErrorReason(ParseEndpoint("GET", path).status()); }

TEST(EndpointTest, AllSpellingsAreOneEndpoint) {
  for (const char* path : {"/api2/json/nodes/pve1/network",
                           "/api2/extjs/nodes/pve1/network",
                           "/api2/html/nodes/pve1/network",
                           "api2/json/nodes/pve1/network",
                           "/nodes/pve1/network",
                           "nodes/pve1/network",
                           "nodes/pve1/network/",
                           "nodes/pve1/network///",
                           "//api2//json//nodes//pve1//network",
                           "/api2/json/./nodes/./pve1/network/.",
                           "/api2/json/nodes/x/../pve1/network",
                           "/x/../api2/json/nodes/pve1/network",
                           "/api2/json/nodes/pve1/network/vmbr0/..",
                           "/api2/json/nodes/pve1/n%65twork",
                           "/%61pi2/json/nodes/pve1/network",
                           "/api2/json/nodes%2Fpve1%2fnetwork",
                           "/api2/json/nodes/x/%2e%2e/pve1/network",
                           "/api2/json/nodes/x%2F..%2Fpve1/network",
                           "/api2/json/nodes/pve1/network?type=bridge",
                           "/api2/json/nodes/pve1/network?a=/../b",
                           "/api2/json/nodes/pve1/network#top",
                           "/api2/json/nodes/pve1/network?",
                           "/api2/json/nodes/pve1/network?x=%zz"}) {
    EXPECT_EQ(PathOf(path), "nodes/pve1/network") << path;
  }
}

TEST(EndpointTest, RootHasNoSegments) {
  for (const char* path : {"", "/", "//", "/api2", "/api2/json", "/api2/json/", "/api2/json/nodes/..", "?x", "."}) {
    EXPECT_THAT(ParseEndpoint("GET", path)->segments, IsEmpty()) << path;
  }
}

TEST(EndpointTest, WhatIsEncodedIsDecodedOnce) {
  EXPECT_EQ(PathOf("storage/%252F"), "storage/%2F");
  EXPECT_EQ(PathOf("storage/a%3Fb%23c"), "storage/a?b#c");
  EXPECT_EQ(PathOf("storage/a%20b+c"), "storage/a b+c");
  EXPECT_THAT(ParseEndpoint("GET", "access/users/root%40pam")->segments, ElementsAre("access", "users", "root@pam"));
  EXPECT_THAT(ParseEndpoint("GET", "nodes/pve1/network%0A")->segments, ElementsAre("nodes", "pve1", "network\n"));
}

TEST(EndpointTest, OnlyTheFirstApi2IsThePrefix) {
  EXPECT_EQ(PathOf("/api2/json/api2/json/nodes"), "api2/json/nodes");
  EXPECT_EQ(PathOf("nodes/api2/network"), "nodes/api2/network");
  EXPECT_EQ(PathOf("/API2/json/nodes"), "API2/json/nodes");
  EXPECT_EQ(PathOf("/api2/json/../nodes/pve1"), "pve1");
}

TEST(EndpointTest, PathThatIsNoneIsRefused) {
  for (const char* path : {"..", "/../nodes", "/api2/json/../../..", "nodes/%2e%2e/%2e%2e", "a%2F..%2F..", "nodes/%", "nodes/%4",
                           "nodes/%4g", "nodes/%%41", "nodes/%00"}) {
    EXPECT_EQ(PathError(path), "PATH_INVALID") << path;
  }
  EXPECT_EQ(PathError(std::string(8193, 'a')), "PATH_INVALID");
  EXPECT_EQ(PathError(std::string(8192, 'a')), "");
}

TEST(EndpointTest, ReadsAreGetAndHead) {
  EXPECT_TRUE(ParseEndpoint("GET", "version")->is_read);
  EXPECT_TRUE(ParseEndpoint("head", "version")->is_read);
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "GETS"}) {
    EXPECT_FALSE(ParseEndpoint(method, "version")->is_read) << method;
  }
  EXPECT_EQ(ParseEndpoint("pUt", "version")->method, "PUT");
}

TEST(EndpointTest, MethodThatIsNoneIsRefused) {
  for (const std::string& method : {std::string(), std::string("GET "), std::string("G/T"), std::string("G\0T", 3),
                                    std::string("GÉT"), std::string(33, 'A')}) {
    const absl::Status status = ParseEndpoint(method, "version").status();
    EXPECT_EQ(ErrorReason(status), "METHOD_INVALID") << method;
    EXPECT_EQ(ErrorMetadata(status)["field"], "method");
  }
}

bool Matches(std::string_view pattern, std::string_view path) {
  return PathPattern::Parse(pattern)->Matches(ParseEndpoint("GET", path)->segments);
}

TEST(PathPatternTest, SegmentMatchesItself) {
  EXPECT_TRUE(Matches("nodes/pve.1/network", "nodes/pve.1/network"));
  for (const char* path : {"", "nodes", "nodes/pve.1", "nodes/pve.1/networks", "nodes/pve.1/networ", "nodes/pve.1/Network",
                           "nodes/pvex1/network", "nodes/pve.1/network/x"}) {
    EXPECT_FALSE(Matches("nodes/pve.1/network", path)) << path;
  }
}

TEST(PathPatternTest, BracesMatchAnyOneSegment) {
  for (const char* pattern : {"nodes/{node}/network", "nodes/{}/network"}) {
    EXPECT_TRUE(Matches(pattern, "nodes/pve1/network"));
    EXPECT_TRUE(Matches(pattern, "nodes/network/network"));
    EXPECT_FALSE(Matches(pattern, "nodes/network"));
    EXPECT_FALSE(Matches(pattern, "nodes/a/b/network"));
  }
}

TEST(PathPatternTest, StarMatchesWhatBeginsSo) {
  EXPECT_TRUE(Matches("network*", "network"));
  EXPECT_TRUE(Matches("network*", "network-x"));
  EXPECT_FALSE(Matches("network*", "networ"));
  EXPECT_FALSE(Matches("network*", "xnetwork"));
  EXPECT_FALSE(Matches("network*", "network/x"));
}

TEST(PathPatternTest, TwoStarsMatchAnyNumberOfSegments) {
  for (const char* path : {"", "a", "a/b", "a/b/c"}) EXPECT_TRUE(Matches("**", path)) << path;
  for (const char* path : {"a/b", "a/x/b", "a/x/y/b", "a/b/b"}) EXPECT_TRUE(Matches("a/**/b", path)) << path;
  for (const char* path : {"a", "b", "a/b/c", "x/a/b"}) EXPECT_FALSE(Matches("a/**/b", path)) << path;
  for (const char* path : {"x", "a/x", "x/a", "a/x/a", "x/x"}) EXPECT_TRUE(Matches("**/x/**", path)) << path;
  EXPECT_TRUE(Matches("**/**/a/**", "a"));
}

TEST(PathPatternTest, SpellingsOfAPatternAreOne) {
  for (const char* text : {"/nodes/{node}/network*/**", "nodes//{node}/network*/**/", "/api2/json/nodes/{node}/network*/**",
                           "/api2/{format}/nodes/{node}/network*/**"}) {
    EXPECT_EQ(PathPattern::Parse(text)->text(), "nodes/{node}/network*/**") << text;
    EXPECT_EQ(*PathPattern::Parse(text), *PathPattern::Parse("nodes/{node}/network*/**")) << text;
  }
}

TEST(PathPatternTest, WhatIsNoPatternIsRefused) {
  for (const char* text : {"",    "/",    "/api2/json", "*",    "***", "a**",   "*a",   "a*b", "**a",  "{",   "}",     "{a",
                           "a}",  "{a}b", "{a}{b}",     "{a}*", "{*}", "a/./b", "a/..", "a b", "a?b",  "a#b", "a%2Fb", "a\\b",
                           "a|b", "a(b)", "a[b]",       "a$",   "^a",  "a;b",   "a\"b", "a'b", "a\nb", "ä"}) {
    const absl::Status status = PathPattern::Parse(text).status();
    EXPECT_EQ(ErrorReason(status), "PATTERN_INVALID") << text;
  }
  EXPECT_TRUE(PathPattern::Parse(absl::StrJoin(std::vector<std::string>(32, "a"), "/")).ok());
  EXPECT_FALSE(PathPattern::Parse(absl::StrJoin(std::vector<std::string>(33, "a"), "/")).ok());
  EXPECT_THAT(std::string(PathPattern::Parse("a b").status().message()), HasSubstr("\"a b\""));
}

TEST(PathPatternTest, RegexIsPlain) {
  EXPECT_EQ(PathPattern::Parse("nodes/{node}/network*/**")->ToRegex(), "/nodes/[^/]+/network[^/]*(?:/[^/]+)*");
  EXPECT_EQ(PathPattern::Parse("a.b+c@d:e~f,g=h_i-j")->ToRegex(), "/a\\.b\\+c@d:e~f,g=h_i-j");
  EXPECT_EQ(PathPattern::Parse("**")->ToRegex(), "(?:/[^/]+)*");
}

// Few words, so that patterns and paths often meet.
class Words {
 public:
  explicit Words(uint32_t seed) : random_(seed) {}

  std::string Path() { return Join({"a", "ab", "abc", "b", "a.b", "axb", "a+b", "aab", "nodes", "a\n", "ä"}, /*fewest=*/0); }
  std::string Pattern() { return Join({"a", "ab", "b", "a.b", "a+b", "nodes", "a*", "a.*", "{x}", "**", "**"}, /*fewest=*/1); }

 private:
  std::string Join(const std::vector<std::string>& words, size_t fewest) {
    std::vector<std::string> segments(fewest + random_() % 5);
    for (std::string& segment : segments) segment = words[random_() % words.size()];
    return absl::StrJoin(segments, "/");
  }

  std::mt19937 random_;
};

TEST(PathPatternTest, RegexMatchesTheSamePaths) {
  Words words(20240501);
  int matched = 0;
  for (int i = 0; i < 400; ++i) {
    const PathPattern pattern = *PathPattern::Parse(words.Pattern());
    const std::regex regex(pattern.ToRegex(), std::regex::ECMAScript);
    for (int j = 0; j < 100; ++j) {
      const Endpoint endpoint = *ParseEndpoint("GET", words.Path());
      const std::string uri = endpoint.segments.empty() ? "" : "/" + endpoint.path();
      const bool matches = pattern.Matches(endpoint.segments);
      ASSERT_EQ(std::regex_match(uri, regex), matches) << pattern.text() << " of " << uri;
      matched += matches ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 1000);
}

}  // namespace
}  // namespace pvebus::migration
