#include "container-service/core/guest_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "sdk/base/ip_address.h"

namespace pvebus::container {
namespace {

constexpr unsigned kHighestNet = 31;

// Of Proxmox VE 8 and 9.
constexpr std::array<std::string_view, 32> kOptions = {
    "arch",       "cmode",        "console",  "cores",      "cpulimit",   "cpuunits", "debug",        "description",
    "entrypoint", "env",          "features", "hookscript", "hostname",   "lock",     "ipmanagehost", "memory",
    "nameserver", "onboot",       "ostype",   "parent",     "protection", "rootfs",   "snapstate",    "snaptime",
    "startup",    "searchdomain", "swap",     "tags",       "template",   "timezone", "tty",          "unprivileged"};
constexpr std::array<std::string_view, 4> kNumberedOptions = {"net", "mp", "unused", "dev"};

bool IsAlphanumeric(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

bool IsLabel(std::string_view text) {
  return !text.empty() && IsAlphanumeric(text.front()) && IsAlphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsAlphanumeric(c) || c == '-'; });
}

bool IsZone(std::string_view text) {
  return text.size() >= 2 && absl::ascii_isalpha(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsAlphanumeric(c) || c == '_' || c == '.' || c == ':'; });
}

std::optional<uint8_t> ParseHexByte(std::string_view text) {
  uint8_t byte = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), byte, 16);
  if (text.size() != 2 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return byte;
}

template <size_t kSize>
bool Contains(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string DecodeText(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = text[at] == '%' ? ParseHexByte(text.substr(at + 1, 2)) : std::nullopt;
    decoded.push_back(byte ? static_cast<char>(*byte) : text[at]);
    if (byte) at += 2;
  }
  return decoded;
}

bool IsDnsName(std::string_view text) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!IsLabel(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::optional<std::string> ParseNameserver(std::string_view text) {
  if (auto v4 = CanonicalIpv4(text)) return v4;
  const size_t percent = text.find('%');
  auto v6 = CanonicalIpv6(text.substr(0, percent));
  if (percent == std::string_view::npos || !v6) return v6;
  const std::string_view zone = text.substr(percent + 1);
  if (!v6->starts_with("fe80:") || !IsZone(zone)) return std::nullopt;
  return v6->append("%").append(zone);
}

std::optional<unsigned> ParseNetIndex(std::string_view key) {
  if (!key.starts_with("net")) return std::nullopt;
  const std::string_view digits = key.substr(3);
  unsigned index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || index > kHighestNet) return std::nullopt;
  const bool leading_zero = digits.size() > 1 && digits[0] == '0';
  return leading_zero ? std::nullopt : std::optional(index);
}

bool IsOption(std::string_view key) {
  const size_t digits = std::find_if(key.begin(), key.end(), IsDigit) - key.begin();
  if (digits == key.size()) return Contains(kOptions, key);
  return Contains(kNumberedOptions, key.substr(0, digits));
}

const std::vector<std::string>& OptionNames() {
  static const auto& names = *new std::vector<std::string>([] {
    std::vector<std::string> all(kOptions.begin(), kOptions.end());
    for (const std::string_view name : kNumberedOptions) all.push_back(std::string(name) + "0");
    return all;
  }());
  return names;
}

}  // namespace pvebus::container
