#include "sdk/netlink/network_errors.h"

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus {

using absl::StatusCode;

absl::Status NetAdminMissing(std::string_view doing) {
  return MakeError(
      StatusCode::kFailedPrecondition, "NET_ADMIN_MISSING",
      absl::StrFormat("this service lacks CAP_NET_ADMIN, without which the kernel does not let it %s: its systemd unit "
                      "needs AmbientCapabilities=CAP_NET_ADMIN (and CapabilityBoundingSet=CAP_NET_ADMIN)",
                      doing));
}

absl::Status KernelSupportMissing(std::string_view doing, std::string_view what) {
  return MakeError(StatusCode::kFailedPrecondition, "KERNEL_SUPPORT_MISSING",
                   absl::StrFormat("the kernel cannot %s: it has no %s", doing, what), {{"missing", std::string(what)}});
}

absl::Status KernelRefused(std::string_view doing, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "KERNEL_REFUSED",
                   absl::StrFormat("the kernel refuses to %s: %s", doing, why));
}

absl::Status LinkMissing(std::string_view link) {
  return MakeError(StatusCode::kNotFound, "LINK_MISSING", absl::StrFormat("there is no link \"%s\"", link),
                   {{"link", std::string(link)}});
}

absl::Status LinkExists(std::string_view link) {
  return MakeError(StatusCode::kAlreadyExists, "LINK_EXISTS", absl::StrFormat("there is a link \"%s\" already", link),
                   {{"link", std::string(link)}});
}

absl::Status NetworkUnsettled() {
  return MakeError(StatusCode::kUnavailable, "NETWORK_UNSETTLED", "the node's network changes faster than it can be read");
}

}  // namespace pvebus
