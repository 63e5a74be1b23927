#include "network-service/core/errors.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;

std::string TextOf(int error) { return std::generic_category().message(error); }

}  // namespace

absl::Status ConfigurationLocked(std::string_view path) {
  return MakeError(StatusCode::kUnavailable, "CONFIGURATION_LOCKED",
                   absl::StrFormat("somebody else is changing the network configuration: %s is locked", path),
                   {{"path", std::string(path)}});
}

absl::Status ConfigurationUnreadable(std::string_view path, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE", absl::StrFormat("cannot read %s: %s", path, why),
                   {{"path", std::string(path)}});
}

absl::Status ConfigurationUnwatchable(std::string_view path, int error) {
  return MakeError(
      StatusCode::kFailedPrecondition, "CONFIGURATION_UNWATCHABLE",
      absl::StrFormat("changes of %s cannot be watched: %s (sysctl fs.inotify.max_user_instances)", path, TextOf(error)),
      {{"path", std::string(path)}});
}

absl::Status ConfigurationUnwritable(std::string_view path, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return MakeError(StatusCode::kResourceExhausted, "DISK_FULL",
                     absl::StrFormat("there is no room for %s: %s", path, TextOf(error)), {{"path", std::string(path)}});
  }
  return MakeError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE",
                   absl::StrFormat("cannot write %s: %s", path, TextOf(error)), {{"path", std::string(path)}});
}

absl::Status Ifupdown2Missing(std::string_view path) {
  return MakeError(StatusCode::kFailedPrecondition, "IFUPDOWN2_MISSING",
                   absl::StrFormat("there is no program %s: it is of ifupdown2 (apt install ifupdown2)", path),
                   {{"path", std::string(path)}});
}

absl::Status PrivilegesMissing(uint32_t user_id) {
  return MakeError(StatusCode::kFailedPrecondition, "PRIVILEGES_MISSING",
                   absl::StrFormat("applying needs root: this service runs as the user with id %d", user_id),
                   {{"user_id", std::to_string(user_id)}});
}

absl::Status ProgramNotRun(std::string_view path, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "PROGRAM_NOT_RUN", absl::StrFormat("%s %s", path, why),
                   {{"path", std::string(path)}});
}

absl::Status WaitStopped(std::string_view what) {
  return MakeError(StatusCode::kCancelled, "WAIT_STOPPED", absl::StrFormat("was stopped while it waited for %s", what));
}

}  // namespace pvebus::network
