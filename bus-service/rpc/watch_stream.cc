#include "bus-service/rpc/watch_stream.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/listener_codec.h"
#include "bus-service/rpc/wire.h"
#include "sdk/status/status.h"

namespace pvebus::bus {
namespace {

constexpr size_t kEventsPerRead = 256;
constexpr size_t kBytesPerRead = 1024 * 1024;

}  // namespace

void WatchStream::Host::WakeAll() {
  for (WatchStream* stream : open) loop.MarkDirty(*stream);
}

void WatchStream::Host::EndAll(const absl::Status& status) {
  for (WatchStream* stream : open) stream->End(status);
}

void WatchStream::Listen(Host& host) {
  auto* stream = new WatchStream(host);
  stream->context_.AsyncNotifyWhenDone(stream->gone_.Start());
  host.request_call(&stream->context_, &stream->request_, &stream->writer_, stream->arrive_.Start());
}

WatchStream::~WatchStream() {
  host_.open.erase(this);
  host_.loop.Forget(*this);
}

void WatchStream::Arrived(bool ok) {
  if (!ok) {
    gone_.Abandon();  // for a call that never began it never comes
    return;
  }
  if (host_.loop.stopping()) return;
  Listen(host_);
  host_.open.insert(this);
  if (auto status = Begin(); !status.ok()) End(std::move(status));
  if (host_.bus.draining()) End(Draining());
  host_.loop.MarkDirty(*this);
}

absl::Status WatchStream::Begin() {
  v1::WatchEventsRequest request;
  if (auto status = ParseMessage(request_, request); !status.ok()) return status;
  auto filter = Filter::ParseForEvents(request.filter());
  if (!filter.ok()) return filter.status();
  filter_ = *std::move(filter);
  auto types = DecodeEventTypes(request.event_types());
  if (!types.ok()) return types.status();
  event_types_ = *types;
  if (request.max_events() != 0) left_ = request.max_events();
  auto position = DecodeStartPosition("start_position", request.start_position());
  if (!position.ok()) return position.status();
  if (position->kind == StartPosition::Kind::kResume) return FieldInvalid("start_position.resume", "has no meaning for a watch");
  auto start = host_.bus.registry().Resolve(*position);
  if (!start.ok()) return start.status();
  next_sequence_ = *start;
  return absl::OkStatus();
}

void WatchStream::End(absl::Status status) {
  if (ended_) return;
  ended_ = std::move(status);
  matched_.clear();
  host_.loop.MarkDirty(*this);
}

void WatchStream::Fill() {
  Bus& bus = host_.bus;
  if (!matched_.empty() || reading_ || ended_ || next_sequence_ > bus.journaled_sequence()) return;
  if (next_sequence_ < bus.ledger().first_sequence())
    return End(SequenceCompacted(next_sequence_, bus.ledger().first_sequence()));
  reading_ = true;
  bus.log().Read(next_sequence_, kEventsPerRead, kBytesPerRead,
                 [host = &host_, stream = this](absl::StatusOr<std::vector<EventPtr>> events) {
                   if (!host->open.contains(stream)) return;
                   stream->reading_ = false;
                   if (!events.ok()) return stream->End(events.status());
                   for (EventPtr& event : *events) {
                     stream->next_sequence_ = event->sequence + 1;
                     if (stream->event_types_ != 0 && (stream->event_types_ & (1u << static_cast<int>(event->type))) == 0)
                       continue;
                     if (stream->filter_.Matches(*event)) stream->matched_.push_back(std::move(event));
                   }
                   host->loop.MarkDirty(*stream);
                 });
}

void WatchStream::Flush() {
  if (finishing_ || write_.under_way()) return;
  Fill();
  if (!matched_.empty() && left_ > 0) {
    v1::WatchEventsResponse response;
    *response.mutable_event() = EncodeEvent(*matched_.front());
    matched_.pop_front();
    --left_;
    writer_.Write(SerializeMessage(response), write_.Start());
    return;
  }
  if (left_ == 0) ended_ = absl::OkStatus();
  if (!ended_) return;
  finishing_ = true;
  writer_.Finish(ToGrpcStatus(*ended_), finish_.Start());
}

void WatchStream::Written(bool ok) {
  if (!ok) End(absl::CancelledError("the stream broke"));
  host_.loop.MarkDirty(*this);
}

void WatchStream::Gone(bool) { End(absl::CancelledError("the stream broke")); }

void WatchStream::DeleteWhenDone() {
  if (arrive_.under_way() || write_.under_way() || finish_.under_way() || gone_.under_way()) return;
  delete this;
}

}  // namespace pvebus::bus
