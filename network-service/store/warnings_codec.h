#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::network {

// Any texts as one: each with its length before it, "3:one". Nothing when `bytes` is not what EncodeWarnings makes.
std::string EncodeWarnings(const std::vector<std::string>& warnings);
std::optional<std::vector<std::string>> DecodeWarnings(std::string_view bytes);

}  // namespace pvebus::network
