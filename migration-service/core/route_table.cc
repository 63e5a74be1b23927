#include "migration-service/core/route_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "migration-service/core/errors.h"

namespace pvebus::migration {
namespace {

struct PhaseRule {
  Phase since;
  const char* what;
  std::vector<std::string> methods;
  const char* pattern;
};

const std::vector<PhaseRule>& PhaseRules() {
  static const std::vector<PhaseRule> rules = {
      {Phase::kRustReadOnly, "reads", {"GET", "HEAD"}, "**"},
      {Phase::kRustBasicWrite, "writes of interfaces", {"POST", "DELETE"}, "nodes/{node}/network"},
      {Phase::kRustBasicWrite, "writes of one interface", {"POST", "PUT", "DELETE"}, "nodes/{node}/network/{iface}"},
      {Phase::kRustAdvanced, "all of networks", {}, "**/network*/**"},
      {Phase::kRustSdn, "all of SDN", {}, "**/sdn*/**"},
      {Phase::kRustFull, "everything", {}, "**"},
  };
  return rules;
}

}  // namespace

std::string_view NameOf(Implementation implementation) {
  return implementation == Implementation::kRust ? "rust" : "perl";
}

bool RouteRule::Fits(const Endpoint& endpoint) const {
  const bool method = methods.empty() || std::find(methods.begin(), methods.end(), endpoint.method) != methods.end();
  return method && pattern.Matches(endpoint.segments);
}

absl::StatusOr<RouteRule> ParseOverride(std::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(std::string(line), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 3) return OverrideInvalid(line, "it has to be METHODS PATTERN perl|rust");
  RouteRule rule{.name = "override"};
  if (words[0] != "*") {
    for (const std::string& method : std::vector<std::string>(absl::StrSplit(words[0], ','))) {
      if (!ParseEndpoint(method, "").ok()) return OverrideInvalid(line, "its methods have to be * or names such as GET,PUT");
      rule.methods.push_back(absl::AsciiStrToUpper(method));
    }
  }
  auto pattern = PathPattern::Parse(words[1]);
  if (!pattern.ok()) return OverrideInvalid(line, std::string(pattern.status().message()));
  rule.pattern = *std::move(pattern);
  if (words[2] != "perl" && words[2] != "rust") return OverrideInvalid(line, "it has to end with perl or rust");
  rule.implementation = words[2] == "rust" ? Implementation::kRust : Implementation::kPerl;
  return rule;
}

std::vector<RouteRule> RouteTable::RulesIn(Phase phase) const {
  std::vector<RouteRule> rules = overrides_;
  for (size_t i = 0; i < rules.size(); ++i) rules[i].name = absl::StrFormat("override %d", i + 1);
  for (const PhaseRule& rule : PhaseRules()) {
    if (phase < rule.since) continue;
    rules.push_back({.name = absl::StrFormat("%s: %s", PhaseName(rule.since), rule.what),
                     .methods = rule.methods,
                     .pattern = *PathPattern::Parse(rule.pattern)});
  }
  return rules;
}

Route RouteTable::Resolve(Phase phase, const Endpoint& endpoint) const {
  Route route{.rule = "default", .timeout = endpoint.is_read ? timeouts_.read : timeouts_.write};
  for (RouteRule& rule : RulesIn(phase)) {
    if (!rule.Fits(endpoint)) continue;
    route.implementation = rule.implementation;
    route.rule = std::move(rule.name);
    break;
  }
  // Perl is what there always was; the new implementation may not know the call at all.
  if (route.implementation == Implementation::kRust) {
    route.fallback = endpoint.is_read ? Fallback::kAllowed : Fallback::kIfNotSent;
  }
  return route;
}

}  // namespace pvebus::migration
