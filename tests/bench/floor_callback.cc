// The floor with gRPC's callback API.
#include <deque>
#include <future>
#include <unordered_map>

#include "grpcpp/grpcpp.h"
#include "pvebus/bus/v1/bus_service.grpc.pb.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "sdk/base/mutex.h"
#include "tests/bench/floor_gather.h"
#include "tests/bench/floor_server.h"

namespace pvebus::bench {
namespace {

class CallbackFloor;

class ListenReactor final : public grpc::ServerBidiReactor<bus::v1::ListenRequest, bus::v1::ListenResponse> {
 public:
  explicit ListenReactor(CallbackFloor& floor);

  void Deliver(const event::v1::SystemEvent& event);
  void Send(bus::v1::ListenResponse message);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { FinishOnce(); }
  void OnDone() override;

  const std::string& name() const { return name_; }

 private:
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishOnce();

  CallbackFloor& floor_;
  std::string name_;
  bus::v1::ListenRequest incoming_;
  Mutex mutex_;
  std::deque<bus::v1::ListenResponse> queue_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

class CallbackFloor final : public FloorServer {
 public:
  explicit CallbackFloor(const FloorOptions& options) : options_(options), bus_(*this), listeners_(*this) {}

  void AddTo(grpc::ServerBuilder& builder) override {
    builder.RegisterService(&bus_);
    builder.RegisterService(&listeners_);
  }
  void Run() override { std::promise<void>().get_future().wait(); }

  bool batch() const { return options_.batch; }
  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const bus::v1::PublishRequest& request,
                                    bus::v1::PublishResponse* response);
  void Join(ListenReactor* session) {
    MutexLock lock(mutex_);
    sessions_.push_back(session);
  }
  void Leave(ListenReactor* session) {
    MutexLock lock(mutex_);
    std::erase(sessions_, session);
  }
  void Acknowledged(uint64_t sequence, const std::string& listener);

 private:
  struct Pending {
    FloorGather gather;
    grpc::ServerUnaryReactor* reactor;
    bus::v1::PublishResponse* response;
  };
  struct Bus final : bus::v1::BusService::CallbackService {
    explicit Bus(CallbackFloor& floor_in) : floor(floor_in) {}
    grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const bus::v1::PublishRequest* request,
                                      bus::v1::PublishResponse* response) override {
      return floor.Publish(context, *request, response);
    }
    CallbackFloor& floor;
  };
  struct Listeners final : bus::v1::ListenerService::CallbackService {
    explicit Listeners(CallbackFloor& floor_in) : floor(floor_in) {}
    grpc::ServerBidiReactor<bus::v1::ListenRequest, bus::v1::ListenResponse>* Listen(grpc::CallbackServerContext*) override {
      return new ListenReactor(floor);
    }
    CallbackFloor& floor;
  };

  const FloorOptions options_;
  Bus bus_;
  Listeners listeners_;
  Mutex mutex_;
  uint64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<ListenReactor*> sessions_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, Pending> pending_ ABSL_GUARDED_BY(mutex_);
};

grpc::ServerUnaryReactor* CallbackFloor::Publish(grpc::CallbackServerContext* context, const bus::v1::PublishRequest& request,
                                                 bus::v1::PublishResponse* response) {
  event::v1::SystemEvent event = request.event();
  std::vector<ListenReactor*> sessions;
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  {
    MutexLock lock(mutex_);
    FloorGather::Stamp(++last_sequence_, event);
    sessions = sessions_;
    Pending& pending = pending_[event.sequence()];
    pending.gather.Begin(event);
    pending.reactor = reactor;
    pending.response = response;
  }
  for (auto* session : sessions) session->Deliver(event);
  return reactor;
}

void CallbackFloor::Acknowledged(uint64_t sequence, const std::string& listener) {
  grpc::ServerUnaryReactor* done = nullptr;
  {
    MutexLock lock(mutex_);
    const auto it = pending_.find(sequence);
    if (it == pending_.end() || !it->second.gather.Acknowledged(listener)) return;
    done = it->second.reactor;
    it->second.response->Swap(&it->second.gather.response());
    pending_.erase(it);
  }
  done->Finish(grpc::Status::OK);
}

ListenReactor::ListenReactor(CallbackFloor& floor) : floor_(floor) { StartRead(&incoming_); }

void ListenReactor::Deliver(const event::v1::SystemEvent& event) {
  MutexLock lock(mutex_);
  if (finished_) return;
  // The front may be on its way: only a message behind it can still grow.
  const size_t first_open = writing_ ? 1 : 0;
  if (!floor_.batch() || queue_.size() <= first_open || !queue_.back().has_deliveries()) queue_.emplace_back();
  auto& delivery = *queue_.back().mutable_deliveries()->add_deliveries();
  delivery.set_delivery_id(event.sequence());
  *delivery.mutable_event() = event;
  delivery.set_attempt(1);
  delivery.set_max_attempts(10);
  Pump();
}

void ListenReactor::Send(bus::v1::ListenResponse message) {
  MutexLock lock(mutex_);
  if (finished_) return;
  queue_.push_back(std::move(message));
  Pump();
}

void ListenReactor::Pump() {
  if (writing_ || finished_ || queue_.empty()) return;
  writing_ = true;
  StartWrite(&queue_.front());
}

void ListenReactor::OnWriteDone(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  queue_.pop_front();
  if (ok) Pump();
}

void ListenReactor::OnReadDone(bool ok) {
  if (!ok) return FinishOnce();
  if (incoming_.has_registration()) {
    name_ = incoming_.registration().listener();
    bus::v1::ListenResponse answer;
    answer.mutable_registered()->set_session_epoch(1);
    floor_.Join(this);
    Send(std::move(answer));
  }
  for (const auto& settlement : incoming_.settlements().settlements()) floor_.Acknowledged(settlement.delivery_id(), name_);
  MutexLock lock(mutex_);
  if (!finished_) StartRead(&incoming_);
}

void ListenReactor::FinishOnce() {
  floor_.Leave(this);
  MutexLock lock(mutex_);
  if (std::exchange(finished_, true)) return;
  Finish(grpc::Status::OK);
}

void ListenReactor::OnDone() { delete this; }

}  // namespace

std::unique_ptr<FloorServer> MakeCallbackFloor(const FloorOptions& options) { return std::make_unique<CallbackFloor>(options); }

}  // namespace pvebus::bench
