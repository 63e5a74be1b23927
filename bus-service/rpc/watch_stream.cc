#include "bus-service/rpc/watch_stream.h"

#include <utility>

#include "bus-service/core/errors.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/listener_codec.h"
#include "bus-service/rpc/wire.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::bus {
namespace {

constexpr size_t kEventsPerRead = 256;
constexpr size_t kBytesPerRead = 1024 * 1024;

}  // namespace

absl::Status WatchStream::Begin(const grpc::ByteBuffer& bytes) {
  v1::WatchEventsRequest request;
  if (auto status = ParseMessage(bytes, request); !status.ok()) return status;
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
  bus_.registry().Resolve(*position, [this, alive = alive()](absl::StatusOr<Sequence> start) {
    if (alive.expired()) return;
    if (!start.ok()) return End(start.status());
    next_sequence_ = *start;
    Wake();
  });
  return absl::OkStatus();
}

void WatchStream::Fill() {
  if (reading_ || next_sequence_ == 0 || next_sequence_ > bus_.journaled_sequence()) return;
  reading_ = true;
  bus_.log().Read(next_sequence_, kEventsPerRead, kBytesPerRead,
                  [this, alive = alive()](absl::StatusOr<std::vector<EventPtr>> events) {
                    if (alive.expired()) return;
                    reading_ = false;
                    if (!events.ok()) return End(events.status());
                    Take(*std::move(events));
                    Wake();
                  });
}

void WatchStream::PassLost() {
  const Sequence end = bus_.log().lost().Skip(next_sequence_);
  if (end != next_sequence_) lost_.push_back({next_sequence_, end - 1});
  next_sequence_ = end;
}

void WatchStream::Take(std::vector<EventPtr> events) {
  PassLost();
  const Sequence first = events.empty() ? bus_.journaled_sequence() + 1 : events.front()->sequence;
  if (first > next_sequence_) return End(SequenceCompacted(next_sequence_, first));
  for (EventPtr& event : events) {
    if (event->sequence > bus_.journaled_sequence()) break;
    PassLost();
    next_sequence_ = event->sequence + 1;
    if (WantsType(event_types_, event->type) && filter_.Matches(*event)) {
      matched_.push_back({std::move(event), std::exchange(lost_, {})});
    }
  }
}

std::optional<grpc::ByteBuffer> WatchStream::Next() {
  if (left_ == 0) End(absl::OkStatus());
  if (ended()) return std::nullopt;
  if (matched_.empty()) Fill();
  if (matched_.empty()) return std::nullopt;
  v1::WatchEventsResponse response;
  const Matched& next = matched_.front();
  *response.mutable_event() = EncodeEvent(*next.event);
  for (const Gap& gap : next.lost) {
    v1::LostEvents& lost = *response.add_lost();
    lost.set_first_sequence(gap.first);
    lost.set_last_sequence(gap.last);
  }
  matched_.pop_front();
  --left_;
  return SerializeMessage(response);
}

}  // namespace pvebus::bus
