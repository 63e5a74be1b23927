#include "bus-service/rpc/bus_rpc.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/proto_writer.h"
#include "bus-service/rpc/result_codec.h"

namespace pvebus::bus {
namespace {

constexpr int kMostInBatch = 1000;

Duration TimeLeft(const UnaryCall& call) {
  const auto deadline = call.deadline();
  // Without a deadline gRPC says the end of time, from which nothing may be subtracted.
  if (deadline > std::chrono::system_clock::now() + std::chrono::hours(24)) return std::chrono::hours(24);
  return std::chrono::duration_cast<Duration>(deadline - std::chrono::system_clock::now());
}

// An event that was sent again without an id has only its request's.
EventKey KeyOf(const Event& event, const std::string& request_id) {
  if (!event.event_id.empty()) return {EventKey::Kind::kEventId, event.event_id};
  return {EventKey::Kind::kRequestId, request_id};
}

// The answers of a batch as they come in; the last one sends them.
class Batch {
 public:
  Batch(UnaryCall& call, Bus& bus, int size) : call_(call), bus_(bus), missing_(size), answers_(size) {}

  void Put(int index, const absl::StatusOr<PublishReply>& reply) {
    const size_t begin = bytes_.size();
    if (reply.ok()) {
      AppendResponse(*reply, bus_, bytes_);
    } else {
      v1::PublishResponse refused;
      EncodeStatus(reply.status(), *refused.mutable_error());
      refused.AppendToString(&bytes_);
    }
    answers_[index] = {begin, bytes_.size() - begin};
    if (--missing_ == 0) Send();
  }

 private:
  struct Answer {
    size_t begin = 0;
    size_t size = 0;
  };

  void Send() const {
    std::string message;
    message.reserve(bytes_.size() + answers_.size() * 4);
    ProtoWriter writer(message);
    for (const Answer& answer : answers_) {
      writer.Bytes(v1::BatchPublishResponse::kResponsesFieldNumber, std::string_view(bytes_).substr(answer.begin, answer.size));
    }
    call_.Reply(message);
  }

  UnaryCall& call_;
  Bus& bus_;
  int missing_;
  std::vector<Answer> answers_;
  std::string bytes_;  // in the order in which they came
};

}  // namespace

BusRpc::BusRpc(Bus& bus, EventLoop& loop) : bus_(bus), loop_(loop) {
  auto* queue = loop.queue();
  methods_.Add<v1::PublishRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestPublish(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, v1::PublishRequest& request) { Publish(call, request); });
  methods_.Add<v1::BatchPublishRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestBatchPublish(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, v1::BatchPublishRequest& request) { BatchPublish(call, request); });
  methods_.Add<v1::GetPublishResultRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestGetPublishResult(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, v1::GetPublishResultRequest& request) { GetPublishResult(call, request); });
}

void BusRpc::Publish(UnaryCall& call, v1::PublishRequest& request) {
  auto command = DecodePublish(request, bus_.limits(), TimeLeft(call));
  if (!command.ok()) return call.Fail(command.status());
  command->caller = &call;
  const auto event = command->event;
  const std::string request_id = command->request_id;
  bus_.Publish(*std::move(command), [this, &call](const absl::StatusOr<PublishReply>& reply) {
    if (!reply.ok()) return call.Fail(reply.status());
    std::string response;
    AppendResponse(*reply, bus_, response);
    call.Reply(response);
  });
  call.OnCancel([this, &call, event, request_id] { bus_.Leave(KeyOf(*event, request_id), &call); });
}

void BusRpc::BatchPublish(UnaryCall& call, v1::BatchPublishRequest& request) {
  const int size = request.requests_size();
  if (size < 1 || size > kMostInBatch) return call.Fail(FieldInvalid("requests", "must have 1 .. 1000 entries"));
  if (bus_.draining()) return call.Fail(Draining());
  auto batch = std::make_shared<Batch>(call, bus_, size);
  const Duration time_left = TimeLeft(call);
  std::vector<std::pair<EventPtr, std::string>> awaited;
  for (int i = 0; i < size; ++i) {
    auto command = DecodePublish(*request.mutable_requests(i), bus_.limits(), time_left);
    if (!command.ok()) {
      batch->Put(i, command.status());
      continue;
    }
    command->caller = &call;
    awaited.emplace_back(command->event, command->request_id);
    bus_.Publish(*std::move(command), [batch, i](const absl::StatusOr<PublishReply>& reply) { batch->Put(i, reply); });
  }
  call.OnCancel([this, &call, awaited = std::move(awaited)] {
    for (const auto& [event, request_id] : awaited) bus_.Leave(KeyOf(*event, request_id), &call);
  });
}

void BusRpc::GetPublishResult(UnaryCall& call, v1::GetPublishResultRequest& request) {
  EventKey key;
  switch (request.key_case()) {
    case v1::GetPublishResultRequest::kEventId:
      key = {EventKey::Kind::kEventId, request.event_id()};
      break;
    case v1::GetPublishResultRequest::kRequestId:
      key = {EventKey::Kind::kRequestId, request.request_id()};
      break;
    case v1::GetPublishResultRequest::KEY_NOT_SET:
      return call.Fail(FieldInvalid("key", "must be an event_id or a request_id"));
  }
  if (!v1::WaitPolicy_IsValid(request.wait_policy()))
    return call.Fail(FieldInvalid("wait_policy", "must be DURABLE, FIRST_ATTEMPT or SETTLED"));
  auto wait = DecodeWait(request.has_wait_timeout() ? &request.wait_timeout() : nullptr, TimeLeft(call));
  if (!wait.ok()) return call.Fail(wait.status());
  const auto answer = [this, &call](const absl::StatusOr<PublishReply>& reply) {
    if (!reply.ok()) return call.Fail(reply.status());
    v1::GetPublishResultResponse response;
    EncodeResult(*reply->publication, bus_, *response.mutable_result());
    call.Reply(response);
  };
  bus_.GetResult(key, static_cast<WaitPolicy>(request.wait_policy()), *wait, answer, &call);
  call.OnCancel([this, &call, key] { bus_.Leave(key, &call); });
}

}  // namespace pvebus::bus
