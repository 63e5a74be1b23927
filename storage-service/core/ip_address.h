#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pvebus::storage {

// An IPv4 or IPv6 address, without a zone. A value.
struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 has the first four

  int bits() const { return v6 ? 128 : 32; }
  // IPv6 as RFC 5952 writes it.
  std::string ToString() const;
  auto operator<=>(const IpAddress&) const = default;
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
  auto operator<=>(const IpPrefix&) const = default;
};
// "ADDRESS/LENGTH"; nothing without a length.
std::optional<IpPrefix> ParseIpPrefix(std::string_view text);

}  // namespace pvebus::storage
