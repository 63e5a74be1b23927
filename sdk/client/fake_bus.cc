#include "sdk/client/fake_bus.h"

#include <algorithm>

#include "sdk/client/proto_time.h"

namespace pvebus::client {

std::optional<bus::v1::ListenRequest> FakeStream::Next(bus::v1::ListenRequest::MessageCase kind, Duration patience) {
  const SteadyTime end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto request = received_.Take(end - std::chrono::steady_clock::now());
    if (!request || request->message_case() == kind) return request;
  }
}

std::optional<bus::v1::Settlement> FakeStream::NextSettlement(Duration patience) {
  if (settlements_.empty()) {
    const auto request = Next(bus::v1::ListenRequest::kSettlements, patience);
    if (!request) return std::nullopt;
    for (const auto& settlement : request->settlements().settlements()) settlements_.push_back(settlement);
  }
  bus::v1::Settlement settlement = settlements_.front();
  settlements_.pop_front();
  return settlement;
}

bool FakeStream::WaitHalfClosed(Duration patience) { return half_closed_.Take(patience).has_value(); }

void FakeStream::Send(bus::v1::ListenResponse response) {
  MutexLock lock(mu_);
  outgoing_.push_back(std::move(response));
  Pump();
}

void FakeStream::Register(Duration lease, Duration ack_deadline, Duration max_ack_extension) {
  bus::v1::ListenResponse response;
  auto& registered = *response.mutable_registered();
  registered.set_session_id("fake");
  *registered.mutable_lease_duration() = ToProto(lease);
  *registered.mutable_effective_policy()->mutable_ack_deadline() = ToProto(ack_deadline);
  *registered.mutable_effective_policy()->mutable_max_ack_extension() = ToProto(max_ack_extension);
  Send(std::move(response));
}

void FakeStream::Deliver(const std::vector<bus::v1::Delivery>& deliveries) {
  bus::v1::ListenResponse response;
  for (const auto& delivery : deliveries) *response.mutable_deliveries()->add_deliveries() = delivery;
  Send(std::move(response));
}

void FakeStream::End(const grpc::Status& status) {
  MutexLock lock(mu_);
  end_ = status;
  Pump();
}

void FakeStream::Begin() {
  MutexLock lock(mu_);
  self_ = shared_from_this();
  StartRead(&incoming_);
}

void FakeStream::OnReadDone(bool ok) {
  if (!ok) return half_closed_.Put(true);
  received_.Put(incoming_);
  MutexLock lock(mu_);
  if (!finished_) StartRead(&incoming_);
}

void FakeStream::OnWriteDone(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  outgoing_.pop_front();
  if (ok) Pump();
}

void FakeStream::OnCancel() {
  cancelled_.Put(true);
  MutexLock lock(mu_);
  FinishOnce(grpc::Status::CANCELLED);
}

void FakeStream::OnDone() { std::shared_ptr<FakeStream> last = std::move(self_); }

void FakeStream::Pump() {
  if (writing_ || finished_) return;
  if (!outgoing_.empty()) {
    writing_ = true;
    StartWrite(&outgoing_.front());
  } else if (end_) {
    FinishOnce(*end_);
  }
}

void FakeStream::FinishOnce(const grpc::Status& status) {
  if (finished_) return;
  finished_ = true;
  Finish(status);
}

FakeBus::FakeBus(const std::string& address) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&listening_);
  builder.RegisterService(&publishing_);
  server_ = builder.BuildAndStart();
  address_ = address.starts_with("unix:") ? address : "127.0.0.1:" + std::to_string(port);
}

FakeBus::~FakeBus() { server_->Shutdown(std::chrono::system_clock::now()); }

std::shared_ptr<FakeStream> FakeBus::NextStream(Duration patience) { return streams_.Take(patience).value_or(nullptr); }

std::shared_ptr<FakeStream> FakeBus::NextRegisteredStream(Duration lease) {
  auto stream = NextStream();
  if (!stream || !stream->Next(bus::v1::ListenRequest::kRegistration)) return nullptr;
  stream->Register(lease);
  return stream;
}

grpc::ServerBidiReactor<bus::v1::ListenRequest, bus::v1::ListenResponse>* FakeBus::Listening::Listen(
    grpc::CallbackServerContext*) {
  auto stream = std::make_shared<FakeStream>();
  stream->Begin();
  bus_.streams_.Put(stream);
  return stream.get();
}

grpc::Status FakeBus::Publishing::Publish(grpc::ServerContext* context, const bus::v1::PublishRequest* request,
                                          bus::v1::PublishResponse* response) {
  return bus_.publish_(*context, *request, *response);
}

grpc::Status FakeBus::Publishing::BatchPublish(grpc::ServerContext*, const bus::v1::BatchPublishRequest* request,
                                               bus::v1::BatchPublishResponse* response) {
  return bus_.batch_(*request, *response);
}

grpc::Status FakeBus::Publishing::GetPublishResult(grpc::ServerContext*, const bus::v1::GetPublishResultRequest* request,
                                                   bus::v1::GetPublishResultResponse* response) {
  if (bus_.result_) return bus_.result_(*request, *response);
  response->mutable_result()->set_event_id(request->event_id());
  return grpc::Status::OK;
}

bus::v1::Delivery MakeDelivery(uint64_t delivery_id, const std::string& ordering_key, const std::string& event_id) {
  bus::v1::Delivery delivery;
  delivery.set_delivery_id(delivery_id);
  delivery.set_attempt(1);
  delivery.set_max_attempts(10);
  delivery.mutable_event()->set_event_id(event_id.empty() ? "e" + std::to_string(delivery_id) : event_id);
  delivery.mutable_event()->set_ordering_key(ordering_key);
  delivery.mutable_event()->mutable_custom()->set_name("test");
  return delivery;
}

}  // namespace pvebus::client
