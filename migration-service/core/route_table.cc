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

std::vector<PhaseRule> PhaseRules() {
  return {
      {Phase::kRustReadOnly, "reads", {"GET", "HEAD"}, "**"},
      {Phase::kRustBasicWrite, "writes of interfaces", {"POST", "DELETE"}, "nodes/{node}/network"},
      {Phase::kRustBasicWrite, "writes of one interface", {"POST", "PUT", "DELETE"}, "nodes/{node}/network/{iface}"},
      {Phase::kRustAdvanced, "the network of nodes", {}, "nodes/{node}/network*/**"},
      {Phase::kRustAdvanced, "the network of the cluster", {}, "cluster/network*/**"},
      {Phase::kRustSdn, "the SDN of nodes", {}, "nodes/{node}/sdn*/**"},
      {Phase::kRustSdn, "the SDN of the cluster", {}, "cluster/sdn*/**"},
      {Phase::kRustFull, "everything", {}, "**"},
  };
}

}  // namespace

std::string_view NameOf(Implementation implementation) { return implementation == Implementation::kRust ? "rust" : "perl"; }

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

RouteTable::RouteTable(std::vector<RouteRule> overrides, Timeouts timeouts) : timeouts_(timeouts) {
  for (RouteRule& rule : overrides) {
    rule.name = absl::StrFormat("override %d", rules_.size() + 1);
    rules_.push_back({kPhases.front(), std::move(rule)});
  }
  for (PhaseRule& rule : PhaseRules()) {
    rules_.push_back({rule.since,
                      {.name = absl::StrFormat("%s: %s", PhaseName(rule.since), rule.what),
                       .methods = std::move(rule.methods),
                       .pattern = *PathPattern::Parse(rule.pattern)}});
  }
}

Route RouteTable::Resolve(Phase phase, const Endpoint& endpoint) const {
  Route route{.rule = "default", .timeout = endpoint.is_read ? timeouts_.read : timeouts_.write};
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const RuleSince& candidate) {
    return candidate.since <= phase && candidate.rule.Fits(endpoint);
  });
  if (found != rules_.end()) {
    route.implementation = found->rule.implementation;
    route.rule = found->rule.name;
  }
  // Perl is what there always was; the new implementation may not know the call at all.
  if (route.implementation == Implementation::kRust) {
    route.fallback = endpoint.is_read ? Fallback::kAllowed : Fallback::kIfNotSent;
  }
  return route;
}

std::vector<RouteRule> RouteTable::RulesIn(Phase phase) const {
  std::vector<RouteRule> rules;
  for (const auto& [since, rule] : rules_) {
    if (since <= phase) rules.push_back(rule);
  }
  return rules;
}

}  // namespace pvebus::migration
