#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "sdk/base/log.h"
#include "sdk/service/options.h"

namespace pvebus::service {

// A logger of text or JSON lines on standard error; gRPC's own lines go there too from now on. INVALID_ARGUMENT for an unknown
// level or format.
absl::StatusOr<std::unique_ptr<Logger>> MakeLogger(const ServiceOptions& options);

// `text` so that it stays on one line: control characters as \n, \t, \u001b; for JSON also \" and \\, and no invalid UTF-8.
std::string EscapeForText(std::string_view text);
std::string EscapeForJson(std::string_view text);

}  // namespace pvebus::service
