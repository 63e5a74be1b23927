#include "container-service/core/network_interface.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "container-service/core/container_findings.h"
#include "sdk/base/ip_address.h"
#include "sdk/base/nearest.h"

namespace pvebus::container {
namespace {

constexpr uint32_t kHighestTag = 4094;
constexpr size_t kMacLength = 17;
// Shorter prefixes are none for Proxmox VE.
constexpr uint32_t kShortestPrefix = 8;

bool IsBlank(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }
bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

std::optional<uint32_t> NumberBetween(uint32_t least, uint32_t most, std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number < least || number > most ? std::nullopt : std::optional(number);
}

// Of an interface or a bridge.
bool IsDeviceName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

bool IsMacAddress(std::string_view text) {
  if (text.size() != kMacLength) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !IsHexDigit(text[i])) return false;
  }
  return true;
}

// The lowest bit of the first byte. Requires: IsMacAddress(mac).
bool IsMulticast(std::string_view mac) { return std::string_view("13579bdfBDF").find(mac[1]) != std::string_view::npos; }

std::optional<std::string> CanonicalPrefix(std::string_view text, bool v6) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view address = text.substr(0, slash);
  const auto canonical = v6 ? CanonicalIpv6(address) : CanonicalIpv4(address);
  const auto length = NumberBetween(kShortestPrefix, v6 ? 128 : 32, text.substr(slash + 1));
  if (!canonical || !length) return std::nullopt;
  return absl::StrFormat("%s/%d", *canonical, *length);
}

// How a property goes into an interface: why not, and what would be right; empty when it is there.
using Taker = std::string (*)(std::string_view value, NetworkInterface& to);

std::string TakeName(std::string_view value, NetworkInterface& to) {
  if (!IsDeviceName(value)) return "is no name of an interface: letters, digits and -_. only";
  to.inside_name = value;
  return "";
}

std::string TakeType(std::string_view value, NetworkInterface& to) {
  if (value != "veth") return "is not veth, which is the only type";
  to.type = value;
  return "";
}

std::string TakeBridge(std::string_view value, NetworkInterface& to) {
  if (!IsDeviceName(value)) return "is no name of a bridge: letters, digits and -_. only";
  to.bridge = value;
  return "";
}

std::string TakeHwaddr(std::string_view value, NetworkInterface& to) {
  if (!IsMacAddress(value)) return "is no MAC address, such as BC:24:11:00:00:01";
  if (IsMulticast(value)) return "is a multicast address: the second digit of a MAC address is even";
  to.hwaddr = value;
  return "";
}

std::string TakeIp(std::string_view value, NetworkInterface& to) {
  const bool word = value == "dhcp" || value == "manual";
  to.ip = word ? std::string(value) : CanonicalPrefix(value, false);
  return to.ip ? "" : "is neither ADDRESS/LENGTH (IPv4, length 8 to 32) nor dhcp nor manual";
}

std::string TakeIp6(std::string_view value, NetworkInterface& to) {
  const bool word = value == "auto" || value == "dhcp" || value == "manual";
  to.ip6 = word ? std::string(value) : CanonicalPrefix(value, true);
  return to.ip6 ? "" : "is neither ADDRESS/LENGTH (IPv6, length 8 to 128) nor auto nor dhcp nor manual";
}

std::string TakeGw(std::string_view value, NetworkInterface& to) {
  to.gw = CanonicalIpv4(value);
  return to.gw ? "" : "is no IPv4 address";
}

std::string TakeGw6(std::string_view value, NetworkInterface& to) {
  to.gw6 = CanonicalIpv6(value);
  return to.gw6 ? "" : "is no IPv6 address";
}

std::string TakeTag(std::string_view value, NetworkInterface& to) {
  const auto tag = NumberBetween(1, kHighestTag, value);
  if (!tag) return "is no VLAN tag from 1 to 4094";
  to.tag = static_cast<uint16_t>(*tag);
  return "";
}

std::string TakeTrunks(std::string_view value, NetworkInterface& to) {
  std::vector<uint16_t> trunks;
  for (;;) {
    const size_t end = value.find(';');
    const auto tag = NumberBetween(1, kHighestTag, value.substr(0, end));
    if (!tag) return "is no list of VLAN tags from 1 to 4094 with semicolons between, such as 10;20;30";
    trunks.push_back(static_cast<uint16_t>(*tag));
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 1);
  }
  to.trunks = std::move(trunks);
  return "";
}

std::string TakeBoolean(std::string_view value, std::optional<bool>& to) {
  std::string word(value.substr(0, 6));
  for (char& c : word) c = absl::ascii_tolower(static_cast<unsigned char>(c));
  const auto is_one_of = [&](const std::array<std::string_view, 4>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (is_one_of({"1", "on", "yes", "true"})) {
    to = true;
  } else if (is_one_of({"0", "off", "no", "false"})) {
    to = false;
  } else {
    return "is neither 1 nor 0";
  }
  return "";
}

std::string TakeFirewall(std::string_view value, NetworkInterface& to) { return TakeBoolean(value, to.firewall); }
std::string TakeLinkDown(std::string_view value, NetworkInterface& to) { return TakeBoolean(value, to.link_down); }

std::string TakeMtu(std::string_view value, NetworkInterface& to) {
  to.mtu = NumberBetween(64, 65535, value);
  return to.mtu ? "" : "is no MTU from 64 to 65535";
}

std::string TakeRate(std::string_view value, NetworkInterface& to) {
  double rate = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rate);
  const bool number = error == std::errc() && end == value.data() + value.size() && std::isfinite(rate);
  if (!number || rate < 0 || value.starts_with('-')) return "is no rate in MB/s, such as 12.5";
  to.rate = rate;
  return "";
}

struct Property {
  std::string_view name;
  Taker take;
};
constexpr std::array kProperties = {
    Property{"name", TakeName},     Property{"bridge", TakeBridge},
    Property{"hwaddr", TakeHwaddr}, Property{"ip", TakeIp},
    Property{"gw", TakeGw},         Property{"ip6", TakeIp6},
    Property{"gw6", TakeGw6},       Property{"tag", TakeTag},
    Property{"trunks", TakeTrunks}, Property{"mtu", TakeMtu},
    Property{"rate", TakeRate},     Property{"firewall", TakeFirewall},
    Property{"type", TakeType},     Property{"link_down", TakeLinkDown},
};

const Property* Find(std::string_view name) {
  const auto* const found =
      std::find_if(kProperties.begin(), kProperties.end(), [&](const Property& property) { return property.name == name; });
  return found == kProperties.end() ? nullptr : found;
}

std::string UnknownProperty(std::string_view name) {
  static const auto& names = *new std::vector<std::string>([] {
    std::vector<std::string> all;
    all.reserve(kProperties.size());
    for (const Property& property : kProperties) all.emplace_back(property.name);
    return all;
  }());
  return absl::StrFormat("there is no property %s%s", Quoted(name), DidYouMean(name, names));
}

// Builds an interface property by property. Made for one netN. One thread.
class InterfaceReader {
 public:
  // Why not; empty when it was taken.
  std::string Take(std::string_view part) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) return absl::StrFormat("%s is a bare word; right is PROPERTY=VALUE", Quoted(part));
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    const Property* property = Find(name);
    if (property == nullptr) return UnknownProperty(name);
    if (value.empty()) return absl::StrFormat("'%s' has no value", property->name);
    if (!taken_.insert(property->name).second) return absl::StrFormat("'%s' stands there twice", property->name);
    const std::string why = property->take(value, interface_);
    return why.empty() ? "" : absl::StrFormat("'%s' is wrong: %s %s", property->name, Quoted(value), why);
  }

  bool has_name() const { return !interface_.inside_name.empty(); }
  NetworkInterface Result() && { return std::move(interface_); }

 private:
  std::set<std::string_view> taken_;
  NetworkInterface interface_;
};

}  // namespace

absl::StatusOr<NetworkInterface> ParseNetworkInterface(std::string_view value) {
  InterfaceReader reader;
  while (!value.empty()) {
    const size_t end = value.find(',');
    const std::string_view part = value.substr(0, end);
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
    if (std::all_of(part.begin(), part.end(), IsBlank)) continue;
    if (const std::string why = reader.Take(part); !why.empty()) return absl::InvalidArgumentError(why);
  }
  if (!reader.has_name()) return absl::InvalidArgumentError("'name', what the interface is called inside, is missing");
  return std::move(reader).Result();
}

}  // namespace pvebus::container
