#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pvebus {

// Addresses as text: IPv6 without brackets and without a zone. Any thread.
bool IsIpv4(std::string_view text);
bool IsIpv6(std::string_view text);
// In its one form, IPv6 as RFC 5952 writes it; nothing for what is no such address.
std::optional<std::string> CanonicalIpv4(std::string_view text);
std::optional<std::string> CanonicalIpv6(std::string_view text);

// An IPv4 or IPv6 address, without a zone. A value.
struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 has the first four

  int bits() const { return v6 ? 128 : 32; }
  // IPv6 as RFC 5952 writes it.
  std::string ToString() const;
  auto operator<=>(const IpAddress&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 sees a 0 in it
};
std::optional<IpAddress> ParseIpAddress(std::string_view text);

// An address with the length of its subnet: 10.1.0.5/24 is a host in its subnet, 10.1.0.0/24 is the subnet. A value.
struct IpPrefix {
  IpAddress address;
  int length = 0;

  std::string ToString() const;
  // The same with all bits of the host cleared.
  IpPrefix Subnet() const;
  bool Contains(const IpAddress& other) const;
  auto operator<=>(const IpPrefix&) const = default;  // NOLINT(modernize-use-nullptr)
};
// "ADDRESS/LENGTH"; nothing without a length.
std::optional<IpPrefix> ParseIpPrefix(std::string_view text);

}  // namespace pvebus
