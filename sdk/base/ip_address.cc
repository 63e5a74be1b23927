#include "sdk/base/ip_address.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace pvebus {
namespace {

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }
bool IsNumber(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit); }

// Calls `on_part` with what stands between the separators; ends when it returns false.
template <typename OnPart>
bool EachPart(std::string_view text, char separator, OnPart on_part) {
  for (;;) {
    const size_t end = text.find(separator);
    if (!on_part(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool IsByte(std::string_view text) {
  if (!IsNumber(text) || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return false;
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value <= 255;
}

// The 16-bit groups on one side of "::"; an IPv4 address at the end counts as two. Nothing when a group is none.
std::optional<size_t> CountGroups(std::string_view text, bool may_end_in_ipv4) {
  if (text.empty()) return 0;
  size_t count = 0;
  bool ended = false;
  const bool valid = EachPart(text, ':', [&](std::string_view group) {
    if (ended) return false;
    ended = may_end_in_ipv4 && IsIpv4(group);
    count += ended ? 2 : 1;
    return ended || (!group.empty() && group.size() <= 4 && std::all_of(group.begin(), group.end(), IsHexDigit));
  });
  return valid ? std::optional(count) : std::nullopt;
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Requires: IsIpv4(text).
void ReadIpv4(std::string_view text, uint8_t* to) {
  for (int i = 0; i < 4; ++i) {
    const size_t dot = std::min(text.find('.'), text.size());
    to[i] = ParseNumber<uint8_t>(text.substr(0, dot), 10).value_or(0);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
}

// The groups on one side of "::", as bytes. Requires: they are groups.
std::string ReadGroups(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, colon);
    if (group.find('.') != std::string_view::npos) {
      std::array<uint8_t, 4> last{};
      ReadIpv4(group, last.data());
      bytes.append(last.begin(), last.end());
    } else {
      const uint16_t value = ParseNumber<uint16_t>(group, 16).value_or(0);
      bytes.push_back(static_cast<char>(value >> 8));
      bytes.push_back(static_cast<char>(value & 0xff));
    }
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return bytes;
}

// Where the longest run of at least two zero groups begins and how long it is; length 0: there is none.
struct ZeroRun {
  size_t begin = 0;
  size_t length = 0;
};
ZeroRun LongestZeroRun(const std::array<uint16_t, 8>& groups) {
  ZeroRun longest;
  for (size_t begin = 0; begin < groups.size(); ++begin) {
    size_t end = begin;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - begin >= 2 && end - begin > longest.length) longest = {begin, end - begin};
  }
  return longest;
}

std::string FormatIpv6(const std::array<uint8_t, 16>& bytes) {
  std::array<uint16_t, 8> groups{};
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  const ZeroRun zeros = LongestZeroRun(groups);
  std::string text;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (zeros.length > 0 && i == zeros.begin) {
      text += "::";
      i += zeros.length - 1;
      continue;
    }
    absl::StrAppendFormat(&text, "%s%x", text.empty() || text.ends_with(':') ? "" : ":", groups[i]);
  }
  return text;
}

}  // namespace

bool IsIpv4(std::string_view text) {
  size_t count = 0;
  return EachPart(text, '.', [&](std::string_view part) { return ++count <= 4 && IsByte(part); }) && count == 4;
}

bool IsIpv6(std::string_view text) {
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) return CountGroups(text, true) == 8;
  const auto before = CountGroups(text.substr(0, gap), false);
  const auto after = CountGroups(text.substr(gap + 2), true);
  return before && after && *before + *after <= 7;
}

std::string IpAddress::ToString() const {
  if (v6) return FormatIpv6(bytes);
  return absl::StrFormat("%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
}

std::optional<IpAddress> ParseIpAddress(std::string_view text) {
  IpAddress address;
  if (IsIpv4(text)) {
    ReadIpv4(text, address.bytes.data());
    return address;
  }
  if (!IsIpv6(text)) return std::nullopt;
  address.v6 = true;
  const size_t gap = text.find("::");
  const std::string before = ReadGroups(text.substr(0, gap));
  const std::string after = gap == std::string_view::npos ? "" : ReadGroups(text.substr(gap + 2));
  std::copy(before.begin(), before.end(), address.bytes.begin());
  std::copy(after.begin(), after.end(), address.bytes.end() - static_cast<std::ptrdiff_t>(after.size()));
  return address;
}

std::optional<std::string> CanonicalIpv4(std::string_view text) {
  return IsIpv4(text) ? std::optional(ParseIpAddress(text)->ToString()) : std::nullopt;
}
std::optional<std::string> CanonicalIpv6(std::string_view text) {
  return IsIpv6(text) ? std::optional(ParseIpAddress(text)->ToString()) : std::nullopt;
}

std::string IpPrefix::ToString() const { return absl::StrFormat("%s/%d", address.ToString(), length); }

IpPrefix IpPrefix::Subnet() const {
  IpPrefix subnet = *this;
  for (int bit = 0; bit < 128; bit += 8) {
    const int kept = std::clamp(length - bit, 0, 8);
    subnet.address.bytes[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(0xff << (8 - kept));
  }
  return subnet;
}

bool IpPrefix::Contains(const IpAddress& other) const {
  return other.v6 == address.v6 && IpPrefix{other, length}.Subnet() == Subnet();
}

std::optional<IpPrefix> ParseIpPrefix(std::string_view text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = ParseIpAddress(text.substr(0, slash));
  const auto length = ParseNumber<uint8_t>(text.substr(slash + 1), 10);
  if (!address || !length || *length > address->bits()) return std::nullopt;
  return IpPrefix{*address, *length};
}

}  // namespace pvebus
