#include "storage-service/core/storage_addresses.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace pvebus::storage {
namespace {

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }
bool IsAlphanumeric(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

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

bool IsLabel(std::string_view text) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '-'; };
  return !text.empty() && IsAlphanumeric(text.front()) && IsAlphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), allowed);
}

// Proxmox VE is generous where an address may be followed by a port.
bool LooksLikeHost(std::string_view text) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '-' || c == '.'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

std::optional<HostAndPort> ParseBracketed(std::string_view text) {
  const size_t end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(1, end - 1);
  const std::string_view rest = text.substr(end + 1);
  if (!IsIpv6(host) && !LooksLikeHost(host)) return std::nullopt;
  if (rest.empty()) return HostAndPort{host, {}};
  if (rest.front() != ':' || !IsNumber(rest.substr(1))) return std::nullopt;
  return HostAndPort{host, rest.substr(1)};
}

// "HOST" or "HOST<separator>PORT".
std::optional<HostAndPort> ParsePlain(std::string_view text, char separator, bool (*is_host)(std::string_view)) {
  if (is_host(text)) return HostAndPort{text, {}};
  const size_t at = text.rfind(separator);
  if (at == std::string_view::npos || !is_host(text.substr(0, at)) || !IsNumber(text.substr(at + 1))) return std::nullopt;
  return HostAndPort{text.substr(0, at), text.substr(at + 1)};
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

bool IsDnsName(std::string_view text) { return EachPart(text, '.', IsLabel); }

std::optional<HostAndPort> ParseHostAndPort(std::string_view text) {
  if (text.starts_with('[')) return ParseBracketed(text);
  if (const auto plain = ParsePlain(text, ':', LooksLikeHost)) return plain;
  return ParsePlain(text, '.', IsIpv6);
}

}  // namespace pvebus::storage
