#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "sdk/base/mutex.h"

namespace pvebus::client {

// How long a test waits for what must happen.
inline constexpr std::chrono::seconds kPatience{10};

// Values that one thread puts in and another waits for.
template <typename T>
class Mailbox {
 public:
  void Put(T value) {
    MutexLock lock(mu_);
    values_.push_back(std::move(value));
    filled_.NotifyAll();
  }
  std::optional<T> Take(Duration patience = kPatience) {
    const SteadyTime end = std::chrono::steady_clock::now() + patience;
    MutexLock lock(mu_);
    while (values_.empty()) {
      if (!filled_.WaitUntil(mu_, end)) return std::nullopt;
    }
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  bool empty() {
    MutexLock lock(mu_);
    return values_.empty();
  }

 private:
  Mutex mu_;
  CondVar filled_;
  std::deque<T> values_ ABSL_GUARDED_BY(mu_);
};

// The bus's end of one Listen stream, played by a test.
class FakeStream final : public grpc::ServerBidiReactor<bus::v1::ListenRequest, bus::v1::ListenResponse>,
                         public std::enable_shared_from_this<FakeStream> {
 public:
  // The next message, whatever it is.
  std::optional<bus::v1::ListenRequest> Next(Duration patience = kPatience) { return received_.Take(patience); }
  // The next message of that kind; others are passed over.
  std::optional<bus::v1::ListenRequest> Next(bus::v1::ListenRequest::MessageCase kind, Duration patience = kPatience);
  // The next settlement.
  std::optional<bus::v1::Settlement> NextSettlement(Duration patience = kPatience);
  // Whether the listener half-closed, or the stream was cancelled, within `patience`.
  bool WaitHalfClosed(Duration patience = kPatience);
  bool WaitCancelled(Duration patience = kPatience) { return cancelled_.Take(patience).has_value(); }

  void Send(bus::v1::ListenResponse response);
  void Register(Duration lease = std::chrono::seconds(15), Duration ack_deadline = std::chrono::seconds(30),
                Duration max_ack_extension = std::chrono::seconds(600));
  // One frame.
  void Deliver(const std::vector<bus::v1::Delivery>& deliveries);
  void End(const grpc::Status& status);

 private:
  friend class FakeBus;

  void Begin();
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FinishOnce(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::shared_ptr<FakeStream> self_;  // until OnDone
  Mailbox<bus::v1::ListenRequest> received_;
  Mailbox<bool> half_closed_;
  Mailbox<bool> cancelled_;
  std::deque<bus::v1::Settlement> settlements_;  // of the test's thread
  bus::v1::ListenRequest incoming_;

  Mutex mu_;
  std::deque<bus::v1::ListenResponse> outgoing_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);
};

// A bus without any rules of its own: the test says what happens. Destroy it after the streams were ended or cancelled.
class FakeBus {
 public:
  using PublishScript =
      std::function<grpc::Status(grpc::ServerContext&, const bus::v1::PublishRequest&, bus::v1::PublishResponse&)>;
  using BatchScript = std::function<grpc::Status(const bus::v1::BatchPublishRequest&, bus::v1::BatchPublishResponse&)>;
  using ResultScript = std::function<grpc::Status(const bus::v1::GetPublishResultRequest&, bus::v1::GetPublishResultResponse&)>;

  // `address` may be a unix socket; by default a free port of the loopback device.
  explicit FakeBus(const std::string& address = "127.0.0.1:0");
  ~FakeBus();

  const std::string& address() const { return address_; }
  // The next stream that a listener opened; null when none came in time.
  std::shared_ptr<FakeStream> NextStream(Duration patience = kPatience);
  // Also takes the registration and answers it.
  std::shared_ptr<FakeStream> NextRegisteredStream(Duration lease = std::chrono::seconds(15));
  // Runs on the server's threads. Set before the first call.
  void OnPublish(PublishScript script) { publish_ = std::move(script); }
  void OnBatchPublish(BatchScript script) { batch_ = std::move(script); }
  // By default the result has only the event's id.
  void OnGetResult(ResultScript script) { result_ = std::move(script); }

 private:
  class Listening final : public bus::v1::ListenerService::CallbackService {
   public:
    explicit Listening(FakeBus& bus) : bus_(bus) {}
    grpc::ServerBidiReactor<bus::v1::ListenRequest, bus::v1::ListenResponse>* Listen(grpc::CallbackServerContext*) override;

   private:
    FakeBus& bus_;
  };
  class Publishing final : public bus::v1::BusService::Service {
   public:
    explicit Publishing(FakeBus& bus) : bus_(bus) {}
    grpc::Status Publish(grpc::ServerContext* context, const bus::v1::PublishRequest* request,
                         bus::v1::PublishResponse* response) override;
    grpc::Status BatchPublish(grpc::ServerContext* context, const bus::v1::BatchPublishRequest* request,
                              bus::v1::BatchPublishResponse* response) override;
    grpc::Status GetPublishResult(grpc::ServerContext* context, const bus::v1::GetPublishResultRequest* request,
                                  bus::v1::GetPublishResultResponse* response) override;

   private:
    FakeBus& bus_;
  };

  Listening listening_{*this};
  Publishing publishing_{*this};
  PublishScript publish_;
  BatchScript batch_;
  ResultScript result_;
  Mailbox<std::shared_ptr<FakeStream>> streams_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// A delivery of a custom event: id and event "e<id>", or another event.
bus::v1::Delivery MakeDelivery(uint64_t delivery_id, const std::string& ordering_key, const std::string& event_id = "");

}  // namespace pvebus::client
