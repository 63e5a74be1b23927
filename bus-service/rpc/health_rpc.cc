#include "bus-service/rpc/health_rpc.h"

#include "bus-service/rpc/wire.h"

namespace pvebus::bus {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One Watch call: says the status now and at each change.
class HealthRpc::Watch final : public ServerStream {
 public:
  Watch(Host& host, const HealthRpc& health) : ServerStream(host), health_(health) {}

 private:
  absl::Status Begin(const grpc::ByteBuffer& bytes) override {
    HealthCheckRequest request;
    auto status = ParseMessage(bytes, request);
    name_ = request.service();
    return status;
  }
  std::optional<grpc::ByteBuffer> Next() override {
    const HealthCheckResponse status = health_.StatusOf(name_);
    if (status.status() == told_) return std::nullopt;
    told_ = status.status();
    return SerializeMessage(status);
  }

  const HealthRpc& health_;
  std::string name_;
  int told_ = -1;
};

HealthRpc::HealthRpc(EventLoop& loop)
    : loop_(loop),
      watches_{[this, queue = loop.queue()](auto* context, auto* request, auto* writer, void* tag) {
                 service_.RequestWatch(context, request, writer, queue, queue, tag);
               },
               [this](auto& host) { return std::make_unique<Watch>(host, *this); },
               loop,
               {}} {
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

void HealthRpc::Listen() {
  methods_.Listen(loop_, 1);
  ServerStream::Listen(watches_);
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
  watches_.WakeAll();
}

}  // namespace pvebus::bus
