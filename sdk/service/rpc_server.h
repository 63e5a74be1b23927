#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server.h"
#include "sdk/service/listen_ports.h"
#include "sdk/service/options.h"

namespace pvebus::service {

// The server of one RPC interface that answers by the callback API, with health, reflection and channelz. Owned by main. One
// thread; SetServing any.
class RpcServer {
 public:
  // `rpc_name` is its name for health checks: pvebus.storage.v1.StorageService.
  explicit RpcServer(std::string rpc_name) : rpc_name_(std::move(rpc_name)) {}
  ~RpcServer() { Stop(); }
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Health: "" is SERVING from now on, rpc_name not yet. An error when an address cannot be listened on. Requires: `rpc` outlives
  // it.
  absl::Status Start(grpc::Service& rpc, const ServiceOptions& options);
  void SetServing(bool serving);
  std::vector<std::string> Addresses() const { return ports_.Addresses(); }
  void PrintListening() const { ports_.PrintListening(); }

  // Health says so to whoever watches.
  void SayGoingAway();
  // Its calls are short; only health watchers stay, and they need no patience.
  void Stop();
  bool started() const { return server_ != nullptr; }

 private:
  const std::string rpc_name_;
  ListenPorts ports_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pvebus::service
