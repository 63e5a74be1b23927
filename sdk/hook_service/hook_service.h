#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/impl/service_type.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/client/listener.h"
#include "sdk/client/publisher.h"
#include "sdk/hooks/hook_chain.h"
#include "sdk/service/options.h"
#include "sdk/service/rpc_server.h"

namespace pvebus::hook_service {

// Which service it is.
struct Identity {
  std::string program;      // container-service
  std::string listener;     // container-network-hooks: its name on the bus
  std::string rpc_name;     // pvebus.container.v1.ContainerService: its name for health checks
  int max_concurrency = 4;  // events, of different ordering keys, whose hooks run at once
};

// A program that listens on the bus, runs a HookChain for every event, answers with what each hook did, and serves an RPC
// interface of its own. Owned by main, which adds the hooks and then calls Run. One thread.
//
// Health: "" is SERVING while the process lives, rpc_name only while the listener holds its name on the bus. While the bus is
// away the service keeps trying; when the bus refused the listener for good, or gave its name to another instance, Run ends.
class HookService {
 public:
  // Without a journal the hooks' record ends with the process. Requires: logger and clock outlive the service.
  HookService(Identity identity, service::ServiceOptions service_options, service::HookServiceOptions hook_options,
              Logger& logger, const Clock& clock, std::unique_ptr<hooks::HookJournal> journal = nullptr);
  ~HookService();
  HookService(const HookService&) = delete;
  HookService& operator=(const HookService&) = delete;

  hooks::HookChain& chain() { return chain_; }
  const client::Publisher& publisher() const { return publisher_; }
  const service::HookServiceOptions& options() const { return hook_options_; }

  // Serves until SIGTERM or SIGINT (drains for up to 10 s, 0) or until it cannot go on (1; the log says why). Requires:
  // service::BlockStopSignals; `rpc` outlives the call; hooks are added.
  int Run(grpc::Service& rpc);

  // What Run is made of. Start: an error when an address cannot be listened on.
  absl::Status Start(grpc::Service& rpc);
  // Waits until `RequestStop` (OK) or until the listener gave up (why).
  absl::Status WaitForEnd() ABSL_LOCKS_EXCLUDED(mu_);
  void RequestStop(const std::string& why) ABSL_LOCKS_EXCLUDED(mu_);
  // Answers what is in flight, leaves the bus, ends the server. The names of hooks that are still running, beyond their time
  // limit: with them the service cannot be destroyed before they return.
  std::vector<std::string> Stop(std::chrono::milliseconds grace);

  std::vector<std::string> Addresses() const { return server_.Addresses(); }

 private:
  client::ListenerOptions MakeListenerOptions();
  void OnListenerEvent(client::ListenerEvent event);

  const Identity identity_;
  const service::ServiceOptions service_options_;
  const service::HookServiceOptions hook_options_;  // defaults filled in
  Logger& logger_;
  const Clock& clock_;

  const std::shared_ptr<grpc::Channel> channel_;
  const client::Publisher publisher_;
  hooks::HookChain chain_;
  service::RpcServer server_;
  std::unique_ptr<client::Listener> listener_;
  std::thread listener_end_;  // waits for the listener to give up

  Mutex mu_;
  CondVar ended_;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::hook_service
