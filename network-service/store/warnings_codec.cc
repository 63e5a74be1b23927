#include "network-service/store/warnings_codec.h"

#include <charconv>

#include "absl/strings/str_format.h"

namespace pvebus::network {

std::string EncodeWarnings(const std::vector<std::string>& warnings) {
  std::string bytes;
  for (const std::string& warning : warnings) bytes += absl::StrFormat("%d:%s", warning.size(), warning);
  return bytes;
}

std::optional<std::vector<std::string>> DecodeWarnings(std::string_view bytes) {
  std::vector<std::string> warnings;
  while (!bytes.empty()) {
    size_t size = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), size);
    bytes.remove_prefix(static_cast<size_t>(end - bytes.data()));
    if (error != std::errc() || !bytes.starts_with(':') || size > bytes.size() - 1) return std::nullopt;
    warnings.emplace_back(bytes.substr(1, size));
    bytes.remove_prefix(1 + size);
  }
  return warnings;
}

}  // namespace pvebus::network
