#pragma once

#include <netlink/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"

namespace pvebus {

// Tells that links, addresses or routes of the node changed: whoever is told reads them again. Changes that come close together
// are told once, when there is quiet or after a while; what the kernel had to drop is told too. Owned by main.
class NetlinkWatch {
 public:
  static constexpr std::chrono::milliseconds kQuiet{50};
  static constexpr std::chrono::milliseconds kAtMost{200};

  // Listens from before it returns, in the network namespace of the calling thread. `on_change` is called on a thread of its
  // own, without a lock, one call after the other. KERNEL_REFUSED.
  static absl::StatusOr<std::unique_ptr<NetlinkWatch>> Create(std::function<void()> on_change);
  // Waits for a call that is under way; there is none after it.
  ~NetlinkWatch();
  NetlinkWatch(const NetlinkWatch&) = delete;
  NetlinkWatch& operator=(const NetlinkWatch&) = delete;

 private:
  struct Free {
    void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  };
  using Socket = std::unique_ptr<nl_sock, Free>;
  using Time = std::chrono::steady_clock::time_point;

  NetlinkWatch(Socket socket, int stop, std::function<void()> on_change);
  void Run() const;
  // True when something came, false when nothing did until `deadline` or when it is time to stop.
  bool WaitForNotice(Time deadline) const;
  bool Stopping() const;
  // Throws away what came.
  void Drain() const;

  const Socket socket_;
  const int stop_;  // an eventfd
  const std::function<void()> on_change_;
  std::thread thread_;
};

}  // namespace pvebus
