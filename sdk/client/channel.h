#pragma once

#include <memory>
#include <string>

#include "grpcpp/channel.h"

namespace pvebus::client {

// A channel to the bus at "127.0.0.1:7400", "[::1]:7400" or "unix:/run/pvebus/bus.sock", not encrypted. Every call makes a
// connection of its own, so that two listeners of one process do not share a stream's fate; it is opened when first used,
// again after 100 ms .. 2 s when it is lost, and checked every 10 s while a call is open. Any thread.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

}  // namespace pvebus::client
