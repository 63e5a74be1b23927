#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "sdk/base/error.h"
#include "sdk/base/ip_address.h"

namespace pvebus::testing {

MATCHER_P2(IsRefusal, reason, text, absl::StrFormat("%s with \"%s\"", reason, text)) {
  *result_listener << arg;
  return ErrorReason(arg) == reason && std::string(arg.message()).find(text) != std::string::npos;
}
MATCHER(IsOk, "") {
  *result_listener << arg;
  return arg.ok();
}

inline IpAddress Address(const char* text) { return ParseIpAddress(text).value(); }
inline IpPrefix Prefix(const char* text) { return ParseIpPrefix(text).value(); }

}  // namespace pvebus::testing
