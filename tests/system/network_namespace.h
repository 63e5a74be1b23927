#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace pvebus::testing {

// An empty network namespace; gone with the last thing in it. The thread that makes it enters it. Without root it is one of a
// user namespace in which the process is root.
class NetworkNamespace {
 public:
  // Why there is none, when there is none. Requires, without root: the process has one thread.
  static absl::StatusOr<NetworkNamespace> Enter();
  // Made by the calling thread, which then is where it was.
  static absl::StatusOr<NetworkNamespace> Make();
  ~NetworkNamespace();
  NetworkNamespace(NetworkNamespace&& other) noexcept;
  NetworkNamespace& operator=(NetworkNamespace&&) = delete;

  // What `ip link set dev X netns` takes.
  std::string path() const;
  // In it, on the calling thread.
  void Do(const std::function<void()>& what) const;

 private:
  explicit NetworkNamespace(int file) : file_(file) {}

  int file_;
};

}  // namespace pvebus::testing
