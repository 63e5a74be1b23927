#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/event_loop.h"
#include "grpcpp/grpcpp.h"

namespace pvebus::bus {

// The bus on the network: every RPC service of it, the completion queue, and the one thread that serves both. Owned by main.
class BusServer {
 public:
  struct Options {
    std::string instance_id;
    std::vector<std::string> required_listeners;  // readiness waits for them
    std::function<void(bool ready)> on_ready;     // called on the loop's thread when readiness changes
  };

  // Adds services and queue to `builder`. Requires: the arguments outlive the server.
  BusServer(Options options, Bus& bus, LoopClock& clock, Logger& logger, grpc::ServerBuilder& builder);
  ~BusServer();

  // Requires: the builder has built `server`.
  void Start(grpc::Server& server);
  // Runs `task` on the bus's thread, unless that has ended. Any thread.
  void Post(std::function<void()> task);
  // Drains, shuts the server down and ends the thread; blocks for at most the drain's grace and a few seconds.
  void Stop();

 private:
  struct Services;

  // The journal is damaged now, or was already.
  void NoticeDamage();
  void UpdateReadiness();
  void CheckDrained();

  const Options options_;
  Bus& bus_;
  LoopClock& clock_;
  Logger& logger_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Services> services_;
  grpc::Server* server_ = nullptr;
  std::thread thread_;
  bool ready_ = false;
  bool damaged_ = false;
  SteadyTime drain_end_;
  std::function<void()> drained_;
};

}  // namespace pvebus::bus
