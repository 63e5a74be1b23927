#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/service/options.h"

namespace pvebus::service {

// One --listen address, taken apart.
struct ListenAddress {
  std::string text;       // as given
  std::string unix_path;  // empty for TCP
  std::string host;       // without brackets
  uint16_t port = 0;

  bool is_unix() const { return !unix_path.empty(); }
  // Only programs of this machine can reach it: 127.0.0.0/8, ::1, localhost, a unix socket.
  bool IsLocal() const;
  // As gRPC and clients write it, with `bound_port` for a TCP port that was 0.
  std::string WithPort(int bound_port) const;
};

// HOST:PORT, [IPV6]:PORT or unix:PATH; INVALID_ARGUMENT LISTEN_ADDRESS_INVALID otherwise.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

// OK, or INVALID_ARGUMENT LISTEN_ADDRESS_INVALID / FAILED_PRECONDITION LISTEN_ADDRESS_INSECURE (beyond this machine without
// --insecure) that names the address.
absl::Status CheckListenAddresses(const ServiceOptions& options);

}  // namespace pvebus::service
