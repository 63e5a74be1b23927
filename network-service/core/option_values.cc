#include "network-service/core/option_values.h"

#include <bit>
#include <charconv>

#include "absl/strings/ascii.h"
#include "sdk/base/ip_address.h"

namespace pvebus::network {

std::optional<uint32_t> ParseDecimal(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uint32_t> ParseMtu(std::string_view text) {
  constexpr uint32_t kLowest = 68;
  constexpr uint32_t kHighest = 65535;
  const auto mtu = ParseDecimal(text);
  return mtu && *mtu >= kLowest && *mtu <= kHighest ? mtu : std::nullopt;
}

std::optional<int> ParseNetmask(std::string_view text, bool v6) {
  if (const auto length = ParseDecimal(text)) {
    return *length <= (v6 ? 128 : 32) ? std::optional(static_cast<int>(*length)) : std::nullopt;
  }
  const auto mask = ParseIpAddress(text);
  if (v6 || !mask || mask->v6) return std::nullopt;
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) bits = bits << 8 | mask->bytes[i];
  const int length = std::countl_one(bits);
  const bool contiguous = length == 32 || bits << length == 0;
  return contiguous ? std::optional(length) : std::nullopt;
}

std::optional<bool> ParseBool(std::string_view text) {
  std::string word(text.substr(0, 10));
  absl::AsciiStrToLower(&word);
  if (word == "yes" || word == "on" || word == "true" || word == "1") return true;
  if (word == "no" || word == "off" || word == "false" || word == "0") return false;
  return std::nullopt;
}

}  // namespace pvebus::network
