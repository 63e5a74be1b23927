#include "bus-service/rpc/journal_rpc.h"

#include <algorithm>

#include "bus-service/core/errors.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/event_page.h"
#include "bus-service/rpc/event_tree.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/journal_status.h"
#include "bus-service/rpc/result_codec.h"

namespace pvebus::bus {
namespace {

// Attempts by listener; those of listeners that are forgotten have nobody to tell of.
void EncodeAttempts(const StateLog::Deliveries& deliveries, const Registry& registry, v1::GetEventResponse& out) {
  std::multimap<std::string, const DeliveryRecord*> by_name;
  for (const auto& [listener, delivery] : deliveries) {
    if (const auto name = registry.NameOf(listener)) by_name.emplace(*name, &delivery);
  }
  for (const auto& [name, delivery] : by_name) {
    for (const AttemptRecord& attempt : delivery->attempts) EncodeAttempt(name, attempt, *out.add_attempts());
  }
}

}  // namespace

JournalRpc::JournalRpc(Bus& bus, EventLoop& loop)
    : bus_(bus),
      loop_(loop),
      watches_{[this, queue = loop.queue()](auto* context, auto* request, auto* writer, void* tag) {
                 service_.RequestWatchEvents(context, request, writer, queue, queue, tag);
               },
               [this](auto& host) { return std::make_unique<WatchStream>(host, bus_); },
               loop,
               {}},
      verifies_{[this, queue = loop.queue()](auto* context, auto* request, auto* writer, void* tag) {
                  service_.RequestVerifyJournal(context, request, writer, queue, queue, tag);
                },
                [this](auto& host) { return std::make_unique<VerifyStream>(host, verification_); },
                loop,
                {}},
      verification_(bus.log(), verifies_) {
  auto* queue = loop.queue();
  methods_.Add<v1::GetEventRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestGetEvent(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::GetEventRequest& request) { GetEvent(call, request); });
  methods_.Add<v1::ListEventsRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestListEvents(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, v1::ListEventsRequest& request) { EventPage::Start(call, std::move(request), bus_, loop_); });
  methods_.Add<v1::TraceEventRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestTraceEvent(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::TraceEventRequest& request) { TraceEvent(call, request); });
  methods_.Add<v1::ReplayEventsRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestReplayEvents(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::ReplayEventsRequest& request) { ReplayEvents(call, request); });
  methods_.Add<v1::GetJournalStatusRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestGetJournalStatus(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::GetJournalStatusRequest&) { AnswerJournalStatus(call, bus_); });
  bus_.SetJournalObserver([this] { watches_.WakeAll(); });
}

void JournalRpc::Listen() {
  methods_.Listen(loop_, 1);
  ServerStream::Listen(watches_);
  ServerStream::Listen(verifies_);
}

void JournalRpc::EndStreams() {
  watches_.EndAll();
  verifies_.EndAll();
}

void JournalRpc::GetEvent(UnaryCall& call, const v1::GetEventRequest& request) {
  EventKey key;
  switch (request.key_case()) {
    case v1::GetEventRequest::kEventId:
      if (auto status = CheckEventId("event_id", request.event_id()); !status.ok()) return call.Fail(status);
      key = {EventKey::Kind::kEventId, request.event_id()};
      break;
    case v1::GetEventRequest::kSequence:
      if (request.sequence() == 0) return call.Fail(FieldInvalid("sequence", "must be at least 1"));
      key = {EventKey::Kind::kSequence, {}, request.sequence()};
      break;
    case v1::GetEventRequest::KEY_NOT_SET:
      return call.Fail(FieldInvalid("key", "must be an event_id or a sequence"));
  }
  const LaterAnswer answer(call);
  bus_.Find(key, [this, answer](absl::StatusOr<Publication*> found) {
    if (answer.over()) return;
    if (!found.ok()) return answer.Fail(found.status());
    const Publication& publication = **found;
    if (!publication.journaled) return answer.Fail(EventNotFound(publication.event->event_id));
    const auto response = std::make_shared<v1::GetEventResponse>();
    *response->mutable_event() = EncodeEvent(*publication.event);
    response->set_request_id(publication.event->request_id);
    EncodeResult(publication, bus_, *response->mutable_result());
    bus_.states().ReadDeliveries(publication.event->sequence,
                                 [this, answer, response](absl::StatusOr<StateLog::Deliveries> deliveries) {
                                   if (answer.over()) return;
                                   if (!deliveries.ok()) return answer.Fail(deliveries.status());
                                   EncodeAttempts(*deliveries, bus_.registry(), *response);
                                   answer.Reply(*response);
                                 });
  });
}

void JournalRpc::TraceEvent(UnaryCall& call, const v1::TraceEventRequest& request) {
  if (auto status = CheckEventId("event_id", request.event_id()); !status.ok()) return call.Fail(status);
  EventTree::Start(call, request.event_id(), bus_, loop_);
}

void JournalRpc::ReplayEvents(UnaryCall& call, const v1::ReplayEventsRequest& request) {
  auto command = DecodeReplay(request);
  if (!command.ok()) return call.Fail(command.status());
  if (auto status = bus_.CheckWritable(); !status.ok() && !command->validate_only) return call.Fail(status);
  const LaterAnswer answer(call);
  bus_.replayer().Start(*std::move(command), [answer](const absl::StatusOr<Replayer::Replayed>& replayed) {
    if (!replayed.ok()) return answer.Fail(replayed.status());
    v1::ReplayEventsResponse response;
    response.set_replay_id(replayed->replay_id);
    response.set_event_count(replayed->event_count);
    response.set_delivery_count(replayed->delivery_count);
    answer.Reply(response);
  });
}

}  // namespace pvebus::bus
