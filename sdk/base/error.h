#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pvebus {

// absl::Status with what programs need beside the code: an UPPER_SNAKE reason, key/value metadata, and for temporary
// refusals when to try again. It travels as google.rpc.ErrorInfo and RetryInfo (sdk/status). Any thread.
absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       const std::map<std::string, std::string>& metadata = {});

// Empty when the status carries none.
std::string ErrorReason(const absl::Status& status);
std::map<std::string, std::string> ErrorMetadata(const absl::Status& status);

void SetRetryDelay(absl::Status& status, std::chrono::milliseconds delay);
std::optional<std::chrono::milliseconds> RetryDelay(const absl::Status& status);

}  // namespace pvebus
