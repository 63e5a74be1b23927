#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "sdk/base/mutex.h"
#include "tests/support/wait.h"

namespace pvebus::testing {

// A Listen stream whose every message a test decides; a connection of its own, as another process would have. A thread reads
// (unless told not to), the test's thread does the rest. What is awaited and does not come fails the test and says what it was.
class RawListener {
 public:
  enum class Reading { kAlways, kNever };

  // Opens the stream and says nothing.
  explicit RawListener(const std::string& address, Reading reading = Reading::kAlways);
  // Opens it and sends the registration.
  RawListener(const std::string& address, const bus::v1::Registration& registration, Reading reading = Reading::kAlways);
  ~RawListener();  // cancels
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  // False when the stream has ended.
  bool Send(const bus::v1::ListenRequest& message);
  void Register(const bus::v1::Registration& registration);
  void Ack(uint64_t delivery_id, bool confirm = false);
  void Reject(uint64_t delivery_id, bus::v1::Rejection rejection = {}, bool confirm = false);
  void Extend(uint64_t delivery_id, std::chrono::milliseconds ack_deadline);
  void Heartbeat();
  void UpdateFlow(uint32_t max_in_flight);
  void Drain();
  void HalfClose();
  void Cancel();
  // Begins to read what was not read so far.
  void StartReading();

  bus::v1::Registered WaitRegistered(std::chrono::milliseconds timeout = kSoon);
  // The next delivery that the test has not seen yet, and the next few; empty ones for those that do not come.
  bus::v1::Delivery NextDelivery(std::chrono::milliseconds timeout = kSoon);
  // Nothing when none comes within `timeout`, which is no failure.
  std::optional<bus::v1::Delivery> NextDeliveryIfAny(std::chrono::milliseconds timeout);
  std::vector<bus::v1::Delivery> NextDeliveries(size_t count, std::chrono::milliseconds timeout = kSoon);
  // True when none comes within `silence`.
  bool NoDeliveryWithin(std::chrono::milliseconds silence);
  bus::v1::Confirmation NextConfirmation(std::chrono::milliseconds timeout = kSoon);
  bool WaitCaughtUp(std::chrono::milliseconds timeout = kSoon);
  bool WaitDrain(std::chrono::milliseconds timeout = kSoon);
  // How the stream ended.
  absl::Status WaitEnd(std::chrono::milliseconds timeout = kSoon);
  bool ended();
  size_t heartbeats();

 private:
  void Read();
  void Sort(bus::v1::ListenResponse& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Predicate>
  bool Await(const char* what, std::chrono::milliseconds timeout, Predicate predicate) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::ClientContext context_;
  std::unique_ptr<bus::v1::ListenerService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<bus::v1::ListenRequest, bus::v1::ListenResponse>> stream_;
  std::string name_ = "a listener without a name";
  std::thread reader_;

  Mutex mutex_;
  CondVar changed_;
  std::optional<bus::v1::Registered> registered_ ABSL_GUARDED_BY(mutex_);
  std::deque<bus::v1::Delivery> deliveries_ ABSL_GUARDED_BY(mutex_);
  std::deque<bus::v1::Confirmation> confirmations_ ABSL_GUARDED_BY(mutex_);
  bool caught_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool drain_ ABSL_GUARDED_BY(mutex_) = false;
  size_t heartbeats_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pvebus::testing
