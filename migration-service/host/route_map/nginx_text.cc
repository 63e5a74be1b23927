#include "migration-service/host/route_map/nginx_text.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pvebus::migration {
namespace {

constexpr std::string_view kFirstLine = "# Written by migration-service for the phase ";

std::string MethodsOf(const RouteRule& rule) {
  return rule.methods.empty() ? "[A-Za-z_-]+" : absl::StrFormat("(?:%s)", absl::StrJoin(rule.methods, "|"));
}

}  // namespace

std::string NginxMap(const RouteTable& table, Phase phase) {
  std::string text = absl::StrFormat("%s%s. What is changed here is lost.\n", kFirstLine, PhaseName(phase));
  text += "map \"$request_method:$uri\" $pvebus_upstream {\n    default pvebus_perl;\n";
  for (const RouteRule& rule : table.RulesIn(phase)) {
    // The first expression that matches decides, as the first rule does. \z: '$' matches before a line break at the end, too.
    absl::StrAppendFormat(&text, "    # %s\n    \"~^%s:/api2/[^/]+%s/?\\z\" pvebus_%s;\n", rule.name, MethodsOf(rule),
                          rule.pattern.ToRegex(), NameOf(rule.implementation));
  }
  return text + "}\n";
}

std::string PhaseOfNginxMap(const std::string& text) {
  if (!text.starts_with(kFirstLine)) return "";
  const std::string rest = text.substr(kFirstLine.size());
  return rest.substr(0, rest.find('.'));
}

}  // namespace pvebus::migration
