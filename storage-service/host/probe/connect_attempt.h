#pragma once

#include <cstdint>
#include <string>

#include "sdk/base/ip_address.h"
#include "sdk/posix/fd.h"
#include "storage-service/core/storage_state.h"
#include "storage-service/host/probe/probe_target.h"

namespace pvebus::storage {

// One TCP connection to one address, without blocking: connects, greets, reads the answer. The owner polls. One thread.
class ConnectAttempt {
 public:
  // Requires: `greeting` outlives it.
  ConnectAttempt(const IpAddress& address, uint16_t port, const Greeting& greeting);

  void Start();
  // What poll() said about fd().
  void OnReady();
  // The time is over; `limit` is its text: "3 s".
  void TimeOut(const std::string& limit);
  void Abandon(std::string why);

  bool done() const { return done_; }
  int fd() const { return fd_.get(); }
  short events() const;

  // Require: done().
  Reachability reachability() const { return reachability_; }
  const std::string& message() const { return message_; }

 private:
  enum class Phase { kConnecting, kGreeting, kListening };

  void OnConnected();
  void Greet();
  void Listen();
  void Fail(int error);
  void End(Reachability reachability, std::string message);

  const IpAddress address_;
  const uint16_t port_;
  const Greeting& greeting_;
  Fd fd_;
  Phase phase_ = Phase::kConnecting;
  size_t said_ = 0;
  std::string heard_;
  bool done_ = false;
  Reachability reachability_ = Reachability::kUnknown;
  std::string message_;
};

}  // namespace pvebus::storage
