// A listener in a process of its own, for tests that stop, continue or kill it. It heartbeats, acknowledges each delivery after a
// while, and prints what happens, one line each: `registered`, `delivery EVENT_ID`, `confirmation STATUS`, `ended CODE REASON`.
#include <cstdio>
#include <mutex>
#include <thread>

#include "CLI/CLI.hpp"
#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "sdk/status/status.h"
#include "tests/support/messages.h"

namespace pvebus::testing {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::string bus;
  bus::v1::Registration registration;
  int lease_ms = 1000;
  int ack_after_ms = 0;
};

void Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

class TestListener {
 public:
  explicit TestListener(const Options& options)
      : options_(options),
        stub_(bus::v1::ListenerService::NewStub(grpc::CreateChannel(options.bus, grpc::InsecureChannelCredentials()))),
        stream_(stub_->Listen(&context_)) {}

  void Run() {
    bus::v1::ListenRequest registration;
    *registration.mutable_registration() = options_.registration;
    stream_->Write(registration);
    std::thread heart([this] { Beat(); });
    for (bus::v1::ListenResponse response; stream_->Read(&response);) Handle(response);
    {
      MutexLock lock(mutex_);
      over_ = true;
      changed_.NotifyAll();
    }
    heart.join();
    const absl::Status end = FromGrpcStatus(stream_->Finish());
    Print("ended " + absl::StatusCodeToString(end.code()) + " " + ErrorReason(end));
  }

 private:
  void Handle(const bus::v1::ListenResponse& response) {
    if (response.has_registered()) Print("registered");
    for (const auto& delivery : response.deliveries().deliveries()) {
      Print("delivery " + delivery.event().event_id());
      MutexLock lock(mutex_);
      held_.emplace_back(SteadyClock::now() + std::chrono::milliseconds(options_.ack_after_ms), delivery.delivery_id());
      changed_.NotifyAll();
    }
    for (const auto& one : response.confirmations().confirmations()) {
      Print("confirmation " + bus::v1::ConfirmationStatus_Name(one.status()));
    }
  }

  // Heartbeats, and acknowledges what is due.
  void Beat() {
    const auto interval = std::chrono::milliseconds(options_.lease_ms / 4);
    for (auto next = SteadyClock::now() + interval;;) {
      bus::v1::ListenRequest message;
      {
        MutexLock lock(mutex_);
        while (!over_ && SteadyClock::now() < next && (held_.empty() || SteadyClock::now() < held_.front().first)) {
          changed_.WaitUntil(mutex_, held_.empty() ? next : std::min(next, held_.front().first));
        }
        if (over_) return;
        if (!held_.empty() && SteadyClock::now() >= held_.front().first) {
          auto& settlement = *message.mutable_settlements()->add_settlements();
          settlement.set_delivery_id(held_.front().second);
          settlement.set_confirm(true);
          settlement.mutable_acknowledgement();
          held_.erase(held_.begin());
        } else {
          message.mutable_heartbeat();
          next = SteadyClock::now() + interval;
        }
      }
      stream_->Write(message);
    }
  }

  const Options& options_;
  grpc::ClientContext context_;
  std::unique_ptr<bus::v1::ListenerService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<bus::v1::ListenRequest, bus::v1::ListenResponse>> stream_;
  Mutex mutex_;
  CondVar changed_;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<SteadyClock::time_point, uint64_t>> held_ ABSL_GUARDED_BY(mutex_);
};

int Main(int argc, char** argv) {
  CLI::App app("A listener for tests");
  Options options;
  std::string name;
  std::string instance_id;
  app.add_option("--bus", options.bus)->required();
  app.add_option("--name", name)->required();
  app.add_option("--instance-id", instance_id);
  app.add_option("--lease-ms", options.lease_ms);
  app.add_option("--ack-after-ms", options.ack_after_ms);
  CLI11_PARSE(app, argc, argv);
  options.registration.set_listener(name);
  options.registration.set_instance_id(instance_id);
  *options.registration.mutable_lease_duration() = ProtoDuration(std::chrono::milliseconds(options.lease_ms));
  TestListener(options).Run();
  return 0;
}

}  // namespace
}  // namespace pvebus::testing

int main(int argc, char** argv) { return pvebus::testing::Main(argc, argv); }
