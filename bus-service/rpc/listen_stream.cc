#include "bus-service/rpc/listen_stream.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/frame_codec.h"
#include "bus-service/rpc/listener_codec.h"
#include "bus-service/rpc/wire.h"
#include "sdk/status/status.h"

namespace pvebus::bus {
namespace {

// An ended stream whose peer does not read what is still under way gets so long before it is cut off.
constexpr std::chrono::seconds kFarewell{2};

}  // namespace

void ListenStream::Listen(Host& host) {
  auto* stream = new ListenStream(host);
  stream->context_.AsyncNotifyWhenDone(stream->gone_.Start());
  host.service.RequestListen(&stream->context_, &stream->stream_, host.loop.queue(), host.loop.queue(), stream->arrive_.Start());
}

ListenStream::~ListenStream() {
  if (session_) host_.bus.CloseSession(*session_);
  host_.loop.timers().Cancel(stuck_timer_);
  host_.loop.Forget(*this);
}

void ListenStream::Arrived(bool ok) {
  if (!ok) {  // the server is shutting down; for a call that never began, `gone_` never comes
    finishing_ = true;
    gone_.Abandon();
    return;
  }
  if (host_.loop.stopping()) {
    finishing_ = true;
    return;
  }
  Listen(host_);
  session_ = &host_.bus.OpenSession(*this, context_.peer());
  StartRead();
  Wake();
}

void ListenStream::StartRead() {
  if (!host_.loop.stopping()) stream_.Read(&incoming_, read_.Start());
}

void ListenStream::Read(bool ok) {
  if (!ok) {
    read_ended_ = true;
    if (!finishing_) session_->OnHalfClose();
    return;
  }
  if (finishing_) return;
  Handle();
  if (session_->wants_messages()) StartRead();
}

void ListenStream::Handle() {
  using Request = v1::ListenRequest;
  if (auto status = ParseMessage(incoming_, request_); !status.ok()) return session_->OnMalformed(std::move(status));
  const auto decoded = [this](auto value, const auto& use) {
    if (value.ok()) {
      use(*std::move(value));
    } else {
      session_->OnMalformed(value.status());
    }
  };
  switch (request_.message_case()) {
    case Request::kRegistration:
      return decoded(DecodeRegistration(request_.registration()),
                     [this](Registration registration) { session_->OnRegistration(std::move(registration)); });
    case Request::kSettlements:
      return decoded(DecodeSettlements(request_.settlements()),
                     [this](const std::vector<Settlement>& settlements) { session_->OnSettlements(settlements); });
    case Request::kExtension:
      return decoded(DecodeExtension(request_.extension()),
                     [this](const Extension& extension) { session_->OnExtension(extension); });
    case Request::kHeartbeat:
      return session_->OnHeartbeat();
    case Request::kFlowUpdate:
      if (request_.flow_update().max_in_flight() == 0 || request_.flow_update().max_in_flight() > kMaximumMaxInFlight) {
        return session_->OnMalformed(FieldInvalid("flow_update.max_in_flight", "must be 1 .. 10000"));
      }
      return session_->OnFlowUpdate(request_.flow_update().max_in_flight());
    case Request::kDrain:
      return session_->OnDrain();
    case Request::MESSAGE_NOT_SET:
      return session_->OnMalformed(MessageEmpty("ListenRequest.message"));
  }
}

void ListenStream::Flush() {
  if (!session_ || finishing_) return;
  if (write_.under_way()) return LimitFarewell();
  if (const auto frame = session_->TakeFrame()) {
    session_->SetWriting(true);
    stream_.Write(EncodeFrame(*frame, host_.bus_instance_id), write_.Start());
    LimitFarewell();
  } else if (session_->ended()) {
    StartFinish();
    return;
  }
  if (!read_.under_way() && !read_ended_ && session_->wants_messages()) StartRead();
}

void ListenStream::LimitFarewell() {
  if (!session_->ended() || stuck_timer_) return;
  stuck_timer_ = host_.loop.timers().Schedule(host_.bus.clock().SteadyNow() + kFarewell, [this] {
    stuck_timer_.number = 0;
    context_.TryCancel();
  });
}

void ListenStream::StartFinish() {
  finishing_ = true;
  stream_.Finish(ToGrpcStatus(*session_->ended()), finish_.Start());
}

void ListenStream::Written(bool ok) {
  session_->SetWriting(false);
  host_.loop.timers().Cancel(stuck_timer_);
  if (!ok) session_->OnBroken();
  Wake();
}

void ListenStream::Finished(bool) {}

void ListenStream::Gone(bool) {
  if (session_ && context_.IsCancelled()) session_->OnBroken();
  Wake();
}

void ListenStream::DeleteWhenDone() {
  if (arrive_.under_way() || read_.under_way() || write_.under_way() || finish_.under_way() || gone_.under_way()) return;
  delete this;
}

}  // namespace pvebus::bus
