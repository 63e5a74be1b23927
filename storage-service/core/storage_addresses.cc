#include "storage-service/core/storage_addresses.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "sdk/base/ip_address.h"

namespace pvebus::storage {
namespace {

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsAlphanumeric(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

bool IsNumber(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit); }

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

bool IsDnsName(std::string_view text) {
  for (size_t end = 0; (end = text.find('.')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    if (!IsLabel(text.substr(0, end))) return false;
  }
  return IsLabel(text);
}

std::optional<HostAndPort> ParseHostAndPort(std::string_view text) {
  if (text.starts_with('[')) return ParseBracketed(text);
  if (const auto plain = ParsePlain(text, ':', LooksLikeHost)) return plain;
  return ParsePlain(text, '.', IsIpv6);
}

}  // namespace pvebus::storage
