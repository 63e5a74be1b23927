#include "bus-service/rpc/health_rpc.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/wire.h"
#include "sdk/status/status.h"

namespace pvebus::bus {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One Watch call: says the status now and at each change. Deletes itself when its last operation is back.
class HealthRpc::Watch final : public Flushable {
 public:
  static void Listen(HealthRpc& health) {
    auto* watch = new Watch(health);
    watch->context_.AsyncNotifyWhenDone(watch->gone_.Start());
    auto* queue = health.loop_.queue();
    health.service_.RequestWatch(&watch->context_, &watch->request_, &watch->writer_, queue, queue, watch->arrive_.Start());
  }
  void End() {
    ending_ = true;
    health_.loop_.MarkDirty(*this);
  }

 private:
  friend class Operation<Watch>;

  explicit Watch(HealthRpc& health) : health_(health) {}
  ~Watch() override {
    health_.watches_.erase(this);
    health_.loop_.Forget(*this);
  }

  void Arrived(bool ok) {
    if (!ok) return gone_.Abandon();
    if (health_.loop_.stopping()) return;
    Listen(health_);
    health_.watches_.insert(this);
    HealthCheckRequest request;
    malformed_ = ParseMessage(request_, request);
    name_ = request.service();
    health_.loop_.MarkDirty(*this);
  }
  void Written(bool ok) {
    if (!ok) ending_ = true;
    health_.loop_.MarkDirty(*this);
  }
  void Finished(bool) {}
  void Gone(bool) { End(); }
  void DeleteWhenDone() {
    if (!arrive_.under_way() && !write_.under_way() && !finish_.under_way() && !gone_.under_way()) delete this;
  }

  void Flush() override {
    if (finishing_ || write_.under_way()) return;
    const HealthCheckResponse status = health_.StatusOf(name_);
    if (malformed_.ok() && !ending_ && status.status() != told_) {
      told_ = status.status();
      writer_.Write(SerializeMessage(status), write_.Start());
    } else if (ending_ || !malformed_.ok()) {
      finishing_ = true;
      writer_.Finish(ToGrpcStatus(malformed_.ok() ? Draining() : malformed_), finish_.Start());
    }
  }

  HealthRpc& health_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer_{&context_};
  Operation<Watch> arrive_{*this, &Watch::Arrived};
  Operation<Watch> write_{*this, &Watch::Written};
  Operation<Watch> finish_{*this, &Watch::Finished};
  Operation<Watch> gone_{*this, &Watch::Gone};
  absl::Status malformed_;
  std::string name_;
  int told_ = -1;
  bool ending_ = false;
  bool finishing_ = false;
};

HealthRpc::HealthRpc(EventLoop& loop) : loop_(loop) {
  methods_.Add<HealthCheckRequest>(
      [this, queue = loop.queue()](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestCheck(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const HealthCheckRequest& request) {
        if (!serving_.contains(request.service()))
          return call.Fail(absl::NotFoundError("service unknown: " + request.service().substr(0, 80)));
        call.Reply(StatusOf(request.service()));
      });
}

HealthRpc::~HealthRpc() = default;

void HealthRpc::Listen() {
  methods_.Listen(loop_, 1);
  Watch::Listen(*this);
}

HealthCheckResponse HealthRpc::StatusOf(const std::string& service) const {
  HealthCheckResponse response;
  const auto it = serving_.find(service);
  response.set_status(it == serving_.end() ? HealthCheckResponse::SERVICE_UNKNOWN
                      : it->second         ? HealthCheckResponse::SERVING
                                           : HealthCheckResponse::NOT_SERVING);
  return response;
}

void HealthRpc::Set(const std::string& service, bool serving) {
  serving_[service] = serving;
  for (Watch* watch : watches_) loop_.MarkDirty(*watch);
}

void HealthRpc::EndWatches() {
  for (Watch* watch : watches_) watch->End();
}

}  // namespace pvebus::bus
