// The floor with gRPC's completion-queue API: one thread polls one queue and does everything, without a lock.
#include <functional>
#include <unordered_map>

#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "tests/bench/floor_gather.h"
#include "tests/bench/floor_server.h"

namespace pvebus::bench {
namespace {

using bus::v1::BusService;
using bus::v1::ListenerService;

// An event of the completion queue.
class Tag {
 public:
  explicit Tag(std::function<void(bool)> done) : done_(std::move(done)) {}
  void Done(bool ok) { done_(ok); }

 private:
  std::function<void(bool)> done_;
};

// gRPC turns messages into bytes and back.
struct TypedWire {
  using Bus = BusService::AsyncService;
  using Listeners = ListenerService::AsyncService;
  using PublishIn = bus::v1::PublishRequest;
  using PublishOut = bus::v1::PublishResponse;
  using ListenIn = bus::v1::ListenRequest;
  using ListenOut = bus::v1::ListenResponse;
  using Frame = bus::v1::ListenResponse;

  static PublishIn& Parse(PublishIn& in) { return in; }
  static ListenIn& Parse(ListenIn& in) { return in; }
  static const PublishOut& Write(const PublishOut& out) { return out; }
  static Frame MakeFrame(const bus::v1::ListenResponse& response) { return response; }
  static void Append(const Frame& frame, ListenOut& out) { out.MergeFrom(frame); }
};

// We do, once per event. Two ListenResponses with deliveries, one after the other, parse as one with both.
struct RawWire {
  using Bus = BusService::WithRawMethod_Publish<
      BusService::WithRawMethod_BatchPublish<BusService::WithRawMethod_GetPublishResult<BusService::Service>>>;
  using Listeners = ListenerService::WithRawMethod_Listen<ListenerService::Service>;
  using PublishIn = grpc::ByteBuffer;
  using PublishOut = grpc::ByteBuffer;
  using ListenIn = grpc::ByteBuffer;
  using Frame = grpc::Slice;
  struct ListenOut {
    std::vector<grpc::Slice> slices;
  };

  template <typename Message>
  static Message ParseAs(grpc::ByteBuffer& in) {
    Message message;
    grpc::SerializationTraits<Message>::Deserialize(&in, &message);
    return message;
  }
  static grpc::ByteBuffer Write(const bus::v1::PublishResponse& out) {
    grpc::Slice slice(out.SerializeAsString());
    return grpc::ByteBuffer(&slice, 1);
  }
  static Frame MakeFrame(const bus::v1::ListenResponse& response) { return grpc::Slice(response.SerializeAsString()); }
  static void Append(const Frame& frame, ListenOut& out) { out.slices.push_back(frame); }
};

template <typename Message, typename Wire, typename In>
decltype(auto) ParseFrom(In& in) {
  if constexpr (std::is_same_v<In, grpc::ByteBuffer>) {
    return Wire::template ParseAs<Message>(in);
  } else {
    return Wire::Parse(in);
  }
}

template <typename Wire>
class QueueFloor final : public FloorServer {
 public:
  explicit QueueFloor(const FloorOptions& options) : options_(options) {}

  void AddTo(grpc::ServerBuilder& builder) override {
    builder.RegisterService(&bus_);
    builder.RegisterService(&listeners_);
    queue_ = builder.AddCompletionQueue();
  }

  void Run() override {
    for (int i = 0; i < kAccepting; ++i) new PublishCall(*this);
    new ListenCall(*this);
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) static_cast<Tag*>(tag)->Done(ok);
  }

 private:
  static constexpr int kAccepting = 16;

  class PublishCall {
   public:
    explicit PublishCall(QueueFloor& floor) : floor_(floor) {
      floor.bus_.RequestPublish(&context_, &in_, &writer_, floor.queue_.get(), floor.queue_.get(), &arrived_);
    }
    FloorGather gather;
    void Finish() { writer_.Finish(Wire::Write(gather.response()), grpc::Status::OK, &finished_); }

   private:
    void Arrived(bool ok) {
      if (!ok) return;
      new PublishCall(floor_);
      bus::v1::PublishRequest request = ParseFrom<bus::v1::PublishRequest, Wire>(in_);
      floor_.Publish(*this, *request.mutable_event());
    }

    QueueFloor& floor_;
    grpc::ServerContext context_;
    typename Wire::PublishIn in_;
    grpc::ServerAsyncResponseWriter<typename Wire::PublishOut> writer_{&context_};
    Tag arrived_{[this](bool ok) { Arrived(ok); }};
    Tag finished_{[this](bool) { delete this; }};
  };

  class ListenCall {
   public:
    explicit ListenCall(QueueFloor& floor) : floor_(floor) {
      floor.listeners_.RequestListen(&context_, &stream_, floor.queue_.get(), floor.queue_.get(), &arrived_);
    }

    void Send(const typename Wire::Frame& frame) {
      queue_.push_back(frame);
      Pump();
    }

   private:
    void Pump() {
      if (writing_ || queue_.empty() || !alive_) return;
      writing_ = true;
      const size_t count = floor_.options_.batch ? queue_.size() : 1;
      typename Wire::ListenOut out;
      for (size_t i = 0; i < count; ++i) Wire::Append(queue_[i], out);
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
      if constexpr (std::is_same_v<Wire, RawWire>) {
        stream_.Write(grpc::ByteBuffer(out.slices.data(), out.slices.size()), &written_);
      } else {
        stream_.Write(out, &written_);
      }
    }
    void Read(bool ok) {
      if (!ok) {  // The peer is gone; the call stays until the process ends.
        alive_ = false;
        std::erase(floor_.sessions_, this);
        return;
      }
      auto&& message = ParseFrom<bus::v1::ListenRequest, Wire>(in_);
      if (message.has_registration()) {
        name_ = message.registration().listener();
        bus::v1::ListenResponse answer;
        answer.mutable_registered()->set_session_epoch(1);
        floor_.sessions_.push_back(this);
        Send(Wire::MakeFrame(answer));
      }
      for (const auto& settlement : message.settlements().settlements()) floor_.Acknowledged(settlement.delivery_id(), name_);
      stream_.Read(&in_, &read_);
    }

    using Out = std::conditional_t<std::is_same_v<Wire, RawWire>, grpc::ByteBuffer, bus::v1::ListenResponse>;
    QueueFloor& floor_;
    std::string name_;
    bool alive_ = true;
    bool writing_ = false;
    std::vector<typename Wire::Frame> queue_;
    grpc::ServerContext context_;
    typename Wire::ListenIn in_;
    grpc::ServerAsyncReaderWriter<Out, typename Wire::ListenIn> stream_{&context_};
    Tag read_{[this](bool ok) { Read(ok); }};
    Tag written_{[this](bool ok) {
      writing_ = false;
      if (ok) Pump();
    }};
    Tag arrived_{[this](bool ok) {
      if (!ok) return;
      new ListenCall(floor_);
      stream_.Read(&in_, &read_);
    }};
  };

  void Publish(PublishCall& call, event::v1::SystemEvent& event) {
    FloorGather::Stamp(++last_sequence_, event);
    call.gather.Begin(event);
    pending_[event.sequence()] = &call;
    bus::v1::ListenResponse response;
    auto& delivery = *response.mutable_deliveries()->add_deliveries();
    delivery.set_delivery_id(event.sequence());
    delivery.mutable_event()->Swap(&event);
    delivery.set_attempt(1);
    delivery.set_max_attempts(10);
    const auto frame = Wire::MakeFrame(response);
    for (auto* session : sessions_) session->Send(frame);
  }

  void Acknowledged(uint64_t sequence, const std::string& listener) {
    const auto it = pending_.find(sequence);
    if (it == pending_.end() || !it->second->gather.Acknowledged(listener)) return;
    PublishCall* call = it->second;
    pending_.erase(it);
    call->Finish();
  }

  const FloorOptions options_;
  typename Wire::Bus bus_;
  typename Wire::Listeners listeners_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  uint64_t last_sequence_ = 0;
  std::vector<ListenCall*> sessions_;
  std::unordered_map<uint64_t, PublishCall*> pending_;
};

}  // namespace

std::unique_ptr<FloorServer> MakeQueueFloor(const FloorOptions& options) {
  return std::make_unique<QueueFloor<TypedWire>>(options);
}

std::unique_ptr<FloorServer> MakeRawQueueFloor(const FloorOptions& options) {
  return std::make_unique<QueueFloor<RawWire>>(options);
}

}  // namespace pvebus::bench
