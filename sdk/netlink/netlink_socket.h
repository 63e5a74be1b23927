#pragma once

#include <linux/netlink.h>
#include <netlink/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/netlink/netlink_message.h"

namespace pvebus {

// What the kernel answered to a request: an errno, 0 for yes, and often a sentence.
struct KernelAnswer {
  int error = 0;
  std::string sentence;

  // For eyes: "File exists (VLAN device already exists)".
  std::string ToString() const;
};

// A conversation with the kernel over netlink, in the network namespace of the thread that opened it. One thread.
class NetlinkSocket {
 public:
  // KERNEL_REFUSED; KERNEL_SUPPORT_MISSING when it does not know the protocol.
  static absl::StatusOr<NetlinkSocket> Open(int protocol = NETLINK_ROUTE);

  // Sends the request and hands out what comes before the kernel's last word, which it returns. UNAVAILABLE NETWORK_UNSETTLED
  // when a list changed while it was read: what was handed out is not to be used.
  absl::StatusOr<KernelAnswer> Exchange(NetlinkMessage& request, const std::function<void(nlmsghdr*)>& on_message = {});

 private:
  struct Free {
    void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  };
  explicit NetlinkSocket(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, Free> socket_;
};

// How a refusal is told: EPERM, what `missing_support` names when the kernel does not know the operation, else KERNEL_REFUSED.
// `missing_support` empty: it knows.
absl::Status RefusalOf(const KernelAnswer& answer, std::string_view doing, std::string_view missing_support = {});

}  // namespace pvebus
