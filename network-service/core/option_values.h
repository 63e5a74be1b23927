#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pvebus::network {

// The values of options. Pure; any thread.

// A decimal number, and nothing else.
std::optional<uint32_t> ParseDecimal(std::string_view text);
// 68..65535.
std::optional<uint32_t> ParseMtu(std::string_view text);
// "255.255.255.0" or "24" as the length 24; of IPv6 only as a number.
std::optional<int> ParseNetmask(std::string_view text, bool v6);
// yes, on, true, 1; no, off, false, 0.
std::optional<bool> ParseBool(std::string_view text);

}  // namespace pvebus::network
