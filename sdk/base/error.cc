#include "sdk/base/error.h"

#include <charconv>

#include "absl/strings/cord.h"

namespace pvebus {
namespace {

constexpr std::string_view kReasonUrl = "pvebus/reason";
constexpr std::string_view kMetadataUrl = "pvebus/metadata/";
constexpr std::string_view kRetryUrl = "pvebus/retry-delay-ms";

absl::string_view View(std::string_view s) { return {s.data(), s.size()}; }

std::string Payload(const absl::Status& status, std::string_view url) {
  auto cord = status.GetPayload(View(url));
  return cord ? std::string(*cord) : std::string();
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       const std::map<std::string, std::string>& metadata) {
  absl::Status status(code, View(message));
  status.SetPayload(View(kReasonUrl), absl::Cord(View(reason)));
  for (const auto& [key, value] : metadata) {
    status.SetPayload(std::string(kMetadataUrl) + key, absl::Cord(value));
  }
  return status;
}

std::string ErrorReason(const absl::Status& status) { return Payload(status, kReasonUrl); }

std::map<std::string, std::string> ErrorMetadata(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    const std::string_view name(url.data(), url.size());
    if (name.starts_with(kMetadataUrl)) {
      metadata[std::string(name.substr(kMetadataUrl.size()))] = std::string(value);
    }
  });
  return metadata;
}

void SetRetryDelay(absl::Status& status, std::chrono::milliseconds delay) {
  status.SetPayload(View(kRetryUrl), absl::Cord(std::to_string(delay.count())));
}

std::optional<std::chrono::milliseconds> RetryDelay(const absl::Status& status) {
  const std::string text = Payload(status, kRetryUrl);
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc()) return std::nullopt;
  return std::chrono::milliseconds(count);
}

}  // namespace pvebus
