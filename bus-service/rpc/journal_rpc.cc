#include "bus-service/rpc/journal_rpc.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/time_codec.h"

namespace pvebus::bus {

JournalRpc::JournalRpc(Bus& bus, EventLoop& loop)
    : bus_(bus),
      loop_(loop),
      watches_{[this, queue = loop.queue()](auto* context, auto* request, auto* writer, void* tag) {
                 service_.RequestWatchEvents(context, request, writer, queue, queue, tag);
               },
               bus,
               loop,
               {}} {
  methods_.Add<v1::GetJournalStatusRequest>(
      [this, queue = loop.queue()](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestGetJournalStatus(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::GetJournalStatusRequest&) { GetJournalStatus(call); });
  bus_.SetJournalObserver([this] { watches_.WakeAll(); });
}

void JournalRpc::Listen() {
  methods_.Listen(loop_, 1);
  WatchStream::Listen(watches_);
}

void JournalRpc::EndWatches() { watches_.EndAll(Draining()); }

void JournalRpc::GetJournalStatus(UnaryCall& call) {
  const EventLog::Stats stats = bus_.log().GetStats();
  v1::GetJournalStatusResponse response;
  response.set_kind(stats.durable ? v1::JOURNAL_KIND_SQLITE : v1::JOURNAL_KIND_MEMORY);
  response.set_durable(stats.durable);
  response.set_event_count(stats.event_count);
  response.set_event_bytes(stats.event_bytes);
  response.set_max_event_bytes(stats.max_event_bytes);
  response.set_first_sequence(stats.first_sequence);
  response.set_last_sequence(stats.last_sequence);
  if (!bus_.ledger().empty()) *response.mutable_first_event_time() = ToProto(bus_.ledger().front().event->publish_time);
  if (!stats.durable)
    response.add_warnings("the journal is in memory: every event and every listener's backlog is lost when the bus ends");
  call.Reply(response);
}

}  // namespace pvebus::bus
