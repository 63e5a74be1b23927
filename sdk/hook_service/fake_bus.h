#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "grpcpp/server.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "sdk/base/mutex.h"

namespace pvebus::hook_service {

// The listener's side of a bus, for tests: admits (or refuses) listeners, sends the event it is told to, keeps what was
// answered. Owned by the test. Any thread.
class FakeBus final : public bus::v1::ListenerService::Service {
 public:
  // `address`: 127.0.0.1:0 or one that a test wants to come back to.
  explicit FakeBus(const std::string& address = "127.0.0.1:0", grpc::Status refusal = grpc::Status::OK);
  ~FakeBus() override;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Each waits at most 10 s; empty when nothing came.
  std::optional<bus::v1::Registration> WaitRegistered();
  std::optional<bus::v1::Settlement> Deliver(const bus::v1::Delivery& delivery);
  bool WaitDrained();

 private:
  using Stream = grpc::ServerReaderWriter<bus::v1::ListenResponse, bus::v1::ListenRequest>;
  grpc::Status Listen(grpc::ServerContext* context, Stream* stream) override;
  void Keep(const bus::v1::ListenRequest& request);

  const grpc::Status refusal_;
  int port_ = 0;
  Mutex mu_;
  CondVar changed_;
  std::optional<bus::v1::Registration> registration_ ABSL_GUARDED_BY(mu_);
  std::vector<bus::v1::Settlement> settlements_ ABSL_GUARDED_BY(mu_);
  Stream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool drained_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pvebus::hook_service
