#include "sdk/client/listener.h"

#include <utility>

#include "sdk/client/listener_core.h"

namespace pvebus::client {
namespace {

bus::v1::Rejection MakeRejection(bus::v1::RejectMode mode, absl::StatusCode code, std::string reason, std::string message) {
  bus::v1::Rejection rejection;
  rejection.set_mode(mode);
  auto& error = *rejection.mutable_error();
  error.set_code(static_cast<int>(code));
  error.set_reason(std::move(reason));
  error.set_message(std::move(message));
  error.set_retryable(mode == bus::v1::REJECT_MODE_RETRY);
  return rejection;
}

}  // namespace

Answer Answer::Ack(bus::v1::Acknowledgement acknowledgement) {
  Answer answer;
  *answer.settlement_.mutable_acknowledgement() = std::move(acknowledgement);
  return answer;
}

Answer Answer::Reject(bus::v1::Rejection rejection) {
  Answer answer;
  *answer.settlement_.mutable_rejection() = std::move(rejection);
  return answer;
}

Answer Answer::Retry(absl::StatusCode code, std::string reason, std::string message) {
  return Reject(MakeRejection(bus::v1::REJECT_MODE_RETRY, code, std::move(reason), std::move(message)));
}

Answer Answer::DeadLetter(absl::StatusCode code, std::string reason, std::string message) {
  return Reject(MakeRejection(bus::v1::REJECT_MODE_DEAD_LETTER, code, std::move(reason), std::move(message)));
}

Answer Answer::None() { return {}; }

Listener::Listener(std::shared_ptr<grpc::Channel> channel, ListenerOptions options, Handler handler, const Publisher* publisher,
                   const Clock& clock, Logger& logger)
    : core_(std::make_shared<Core>(std::move(channel), std::move(options), std::move(handler), publisher, clock, logger)) {}

Listener::~Listener() { core_->Stop(std::chrono::milliseconds(0)); }

void Listener::Start() { core_->Start(); }
absl::Status Listener::WaitRegistered(std::chrono::milliseconds timeout) { return core_->WaitRegistered(timeout); }
void Listener::Stop(std::chrono::milliseconds grace) { core_->Stop(grace); }
absl::Status Listener::status() const { return core_->status(); }
absl::Status Listener::Wait() { return core_->Wait(); }

}  // namespace pvebus::client
