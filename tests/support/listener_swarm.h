#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "tests/support/wait.h"

namespace pvebus::testing {

// Many listeners that register, acknowledge whatever comes and otherwise idle, on a few connections and without a thread each.
class ListenerSwarm {
 public:
  // Listeners `prefix`-0 .. `prefix`-(count - 1), registered as `registration` says. Returns when all of them hold their names.
  ListenerSwarm(const std::string& address, const std::string& prefix, size_t count, bus::v1::Registration registration);
  ~ListenerSwarm();

  size_t registered() const;

 private:
  class Session;
  std::vector<std::unique_ptr<bus::v1::ListenerService::Stub>> stubs_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace pvebus::testing
