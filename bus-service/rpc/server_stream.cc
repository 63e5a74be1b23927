#include "bus-service/rpc/server_stream.h"

#include <utility>

#include "bus-service/core/errors.h"
#include "sdk/status/status.h"

namespace pvebus::bus {

void ServerStream::Host::WakeAll() {
  for (ServerStream* stream : open) stream->Wake();
}

void ServerStream::Host::EndAll() {
  ending = true;
  for (ServerStream* stream : open) stream->End(Draining());
}

void ServerStream::Listen(Host& host) {
  ServerStream* stream = host.make(host).release();
  stream->context_.AsyncNotifyWhenDone(stream->gone_.Start());
  host.request_call(&stream->context_, &stream->request_, &stream->writer_, stream->arrive_.Start());
}

ServerStream::~ServerStream() {
  host_.open.erase(this);
  host_.loop.Forget(*this);
}

void ServerStream::Arrived(bool ok) {
  if (!ok) {
    gone_.Abandon();  // for a call that never began it never comes
    return;
  }
  if (host_.loop.stopping()) return;
  Listen(host_);
  host_.open.insert(this);
  if (host_.ending) {
    End(Draining());
  } else if (auto status = Begin(request_); !status.ok()) {
    End(std::move(status));
  }
  request_.Clear();
  Wake();
}

void ServerStream::End(absl::Status status) {
  if (ended_) return;
  ended_ = std::move(status);
  Wake();
}

void ServerStream::Flush() {
  if (finishing_ || write_.under_way() || host_.loop.stopping()) return;
  if (!ended_) {
    if (const auto message = Next()) {
      writer_.Write(*message, write_.Start());
      return;
    }
  }
  if (!ended_) return;
  finishing_ = true;
  writer_.Finish(ToGrpcStatus(*ended_), finish_.Start());
}

void ServerStream::Written(bool ok) {
  if (!ok) End(absl::CancelledError("the stream broke"));
  Wake();
}

void ServerStream::Gone(bool) { End(absl::CancelledError("the stream broke")); }

void ServerStream::DeleteWhenDone() {
  if (arrive_.under_way() || write_.under_way() || finish_.under_way() || gone_.under_way()) return;
  delete this;
}

}  // namespace pvebus::bus
