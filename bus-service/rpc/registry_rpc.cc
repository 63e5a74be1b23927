#include "bus-service/rpc/registry_rpc.h"

#include "bus-service/core/errors.h"
#include "bus-service/core/filter.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/later_answer.h"
#include "bus-service/rpc/listener_codec.h"

namespace pvebus::bus {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaximumPageSize = 1000;
constexpr size_t kPageBytes = 2 * 1024 * 1024;  // a page ends here: clients read at most 4 MiB
constexpr size_t kMaxReasonBytes = 1024;

// "CONNECTED" for LISTENER_STATE_CONNECTED.
std::string StateName(ListenerState state) {
  return v1::ListenerState_Name(static_cast<v1::ListenerState>(state)).substr(std::string_view("LISTENER_STATE_").size());
}

bool Matches(const Filter& filter, const std::string& name, const ListenerRecord& record) {
  const std::string state = StateName(record.State());
  return filter.Matches([&](std::string_view field) -> std::optional<std::string_view> {
    if (field == "name") return name;
    if (field == "state") return state;
    if (field == "node") return record.node;
    if (field == "instance_id") return record.instance_id;
    if (field == "ephemeral") return record.ephemeral ? "true" : "false";
    const auto it = record.labels.find(std::string(field.substr(std::string_view("labels.").size())));
    if (it == record.labels.end()) return std::nullopt;
    return it->second;
  });
}

}  // namespace

RegistryRpc::RegistryRpc(Bus& bus, EventLoop& loop) : bus_(bus), loop_(loop) {
  auto* queue = loop.queue();
  methods_.Add<v1::ListListenersRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestListListeners(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { ListListeners(call, request); });
  methods_.Add<v1::GetListenerRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestGetListener(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { GetListener(call, request); });
  methods_.Add<v1::PauseListenerRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestPauseListener(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { PauseListener(call, request); });
  methods_.Add<v1::ResumeListenerRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestResumeListener(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { ResumeListener(call, request); });
  methods_.Add<v1::EvictListenerRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestEvictListener(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { EvictListener(call, request); });
  methods_.Add<v1::SeekListenerRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestSeekListener(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { SeekListener(call, request); });
  methods_.Add<v1::DeleteListenerRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestDeleteListener(context, request, responder, queue, queue, tag);
      },
      [this](auto& call, auto& request) { DeleteListener(call, request); });
}

template <typename Response>
void RegistryRpc::ReplyListener(UnaryCall& call, std::string_view name, const absl::StatusOr<ListenerRecord*>& record) {
  if (!record.ok()) return call.Fail(record.status());
  Response response;
  EncodeListener(std::string(name), **record, *response.mutable_listener());
  call.Reply(response);
}

void RegistryRpc::ListListeners(UnaryCall& call, const v1::ListListenersRequest& request) {
  if (request.page_size() < 0 || request.page_size() > kMaximumPageSize)
    return call.Fail(FieldInvalid("page_size", "must be 0 .. 1000"));
  // A page token is the name of the last listener of the page before.
  if (!request.page_token().empty() && !CheckName("page_token", request.page_token()).ok()) return call.Fail(PageTokenInvalid());
  auto filter =
      Filter::Parse(request.filter(), {"name",
                                       {"state", {"CONNECTED", "DISCONNECTED", "LEASE_EXPIRED", "PAUSED", "DRAINING", "BLOCKED"}},
                                       "node",
                                       "instance_id",
                                       {"ephemeral", {"true", "false"}},
                                       "labels."});
  if (!filter.ok()) return call.Fail(filter.status());
  const int page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  const auto& listeners = bus_.registry().listeners();
  v1::ListListenersResponse response;
  size_t bytes = 0;
  for (auto it = listeners.upper_bound(request.page_token()); it != listeners.end(); ++it) {
    if (!Matches(*filter, it->first, it->second)) continue;
    if (response.listeners_size() == page_size || bytes >= kPageBytes) {
      response.set_next_page_token(response.listeners().rbegin()->name());
      break;
    }
    v1::Listener& listener = *response.add_listeners();
    EncodeListener(it->first, it->second, listener);
    bytes += listener.ByteSizeLong();
  }
  call.Reply(response);
}

void RegistryRpc::GetListener(UnaryCall& call, const v1::GetListenerRequest& request) {
  auto record = bus_.registry().Find(request.name());
  if (!record.ok()) return call.Fail(record.status());
  v1::GetListenerResponse response;
  EncodeListener(request.name(), **record, *response.mutable_listener());
  for (const Incident& incident : (*record)->subscription->incidents()) {
    EncodeIncident(incident, *response.mutable_listener()->add_incidents());
  }
  call.Reply(response);
}

void RegistryRpc::PauseListener(UnaryCall& call, const v1::PauseListenerRequest& request) {
  if (auto status = bus_.CheckWritable(); !status.ok()) return call.Fail(status);
  if (auto status = CheckLength("reason", request.reason(), kMaxReasonBytes); !status.ok()) return call.Fail(status);
  ReplyListener<v1::PauseListenerResponse>(call, request.name(),
                                           bus_.registry().Pause(request.name(), request.reason(), request.etag()));
}

void RegistryRpc::ResumeListener(UnaryCall& call, const v1::ResumeListenerRequest& request) {
  if (auto status = bus_.CheckWritable(); !status.ok()) return call.Fail(status);
  ReplyListener<v1::ResumeListenerResponse>(call, request.name(), bus_.registry().Resume(request.name(), request.etag()));
}

void RegistryRpc::EvictListener(UnaryCall& call, const v1::EvictListenerRequest& request) {
  if (auto status = CheckLength("reason", request.reason(), kMaxReasonBytes); !status.ok()) return call.Fail(status);
  auto eviction = bus_.registry().Evict(request.name(), request.reason(), request.etag());
  if (!eviction.ok()) return call.Fail(eviction.status());
  v1::EvictListenerResponse response;
  EncodeListener(request.name(), *eviction->listener, *response.mutable_listener());
  response.set_evicted_instance_id(eviction->instance_id);
  call.Reply(response);
}

void RegistryRpc::SeekListener(UnaryCall& call, const v1::SeekListenerRequest& request) {
  auto position = DecodeStartPosition("position", request.position());
  if (!position.ok()) return call.Fail(position.status());
  if (auto status = bus_.CheckWritable(); !status.ok() && !request.validate_only()) return call.Fail(status);
  const LaterAnswer answer(call);
  bus_.registry().Seek(request.name(), *position, request.validate_only(), request.etag(),
                       [answer, name = request.name()](const absl::StatusOr<Registry::SeekOutcome>& outcome) {
                         if (!outcome.ok()) return answer.Fail(outcome.status());
                         v1::SeekListenerResponse response;
                         if (outcome->listener) EncodeListener(name, *outcome->listener, *response.mutable_listener());
                         response.set_next_sequence(outcome->next_sequence);
                         response.set_skipped_count(outcome->skipped);
                         answer.Reply(response);
                       });
}

void RegistryRpc::DeleteListener(UnaryCall& call, const v1::DeleteListenerRequest& request) {
  if (auto status = bus_.CheckWritable(); !status.ok()) return call.Fail(status);
  auto dropped = bus_.registry().Delete(request.name(), request.force(), request.etag());
  if (!dropped.ok()) return call.Fail(dropped.status());
  v1::DeleteListenerResponse response;
  response.set_dropped_count(*dropped);
  call.Reply(response);
}

}  // namespace pvebus::bus
