#include "network-service/core/stanza.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestName = 15;  // IFNAMSIZ - 1

const std::vector<Method>& MethodsListOf(Stanza::Family family) {
  static const auto& inet =
      *new std::vector<Method>{Method::kStatic, Method::kDhcp, Method::kManual, Method::kLoopback, Method::kPpp, Method::kTunnel};
  static const auto& inet6 = *new std::vector<Method>{Method::kStatic,   Method::kAuto, Method::kDhcp,  Method::kManual,
                                                      Method::kLoopback, Method::kPpp,  Method::kTunnel};
  return family == Stanza::Family::kInet6 ? inet6 : inet;
}

bool MayStandInName(unsigned char c) { return absl::ascii_isgraph(c) && c != '/'; }

}  // namespace

std::optional<Method> ParseMethod(Stanza::Family family, std::string_view name) {
  for (const Method method : MethodsListOf(family)) {
    if (MethodName(method) == name) return method;
  }
  return std::nullopt;
}

std::string MethodsOf(Stanza::Family family) {
  return absl::StrJoin(MethodsListOf(family), ", ", [](std::string* out, Method method) { out->append(MethodName(method)); });
}

std::string WhyNoInterfaceName(std::string_view name) {
  if (name.size() > kLongestName) {
    return absl::StrFormat("the name %s has %d bytes; the kernel takes at most %d", Quoted(name), name.size(), kLongestName);
  }
  if (name.empty() || name == "." || name == "..")
    return absl::StrFormat("the kernel takes no interface of name %s", Quoted(name));
  if (!std::all_of(name.begin(), name.end(), MayStandInName)) {
    return absl::StrFormat("the name %s has characters that no name can have; use letters, digits, '.', '-' and '_'",
                           Quoted(name));
  }
  return "";
}

std::string FingerprintOf(const Stanza& stanza) {
  std::vector<const Stanza::Option*> options;
  for (const Stanza::Option& option : stanza.options) options.push_back(&option);
  // Those of one name stay in their order, which counts.
  std::stable_sort(options.begin(), options.end(),
                   [](const Stanza::Option* a, const Stanza::Option* b) { return a->name < b->name; });
  std::string fingerprint =
      absl::StrFormat("%s\n%d %d\n", stanza.name, static_cast<int>(stanza.family), static_cast<int>(stanza.method));
  for (const Stanza::Option* option : options) absl::StrAppend(&fingerprint, option->name, " ", option->value, "\n");
  return fingerprint;
}

}  // namespace pvebus::network
