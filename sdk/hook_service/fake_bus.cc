#include "sdk/hook_service/fake_bus.h"

#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace pvebus::hook_service {
namespace {

SteadyTime In10Seconds() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }

}  // namespace

FakeBus::FakeBus(const std::string& address, grpc::Status refusal) : refusal_(std::move(refusal)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeBus::~FakeBus() { server_->Shutdown(std::chrono::system_clock::now()); }

std::optional<bus::v1::Registration> FakeBus::WaitRegistered() {
  const SteadyTime deadline = In10Seconds();
  MutexLock lock(mu_);
  while (!registration_ && changed_.WaitUntil(mu_, deadline)) {
  }
  return registration_;
}

std::optional<bus::v1::Settlement> FakeBus::Deliver(const bus::v1::Delivery& delivery) {
  const SteadyTime deadline = In10Seconds();
  MutexLock lock(mu_);
  if (stream_ == nullptr) return std::nullopt;
  bus::v1::ListenResponse response;
  *response.mutable_deliveries()->add_deliveries() = delivery;
  const size_t before = settlements_.size();
  stream_->Write(response);
  while (settlements_.size() == before && changed_.WaitUntil(mu_, deadline)) {
  }
  if (settlements_.size() == before) return std::nullopt;
  return settlements_.back();
}

bool FakeBus::WaitDrained() {
  const SteadyTime deadline = In10Seconds();
  MutexLock lock(mu_);
  while (!drained_ && changed_.WaitUntil(mu_, deadline)) {
  }
  return drained_;
}

grpc::Status FakeBus::Listen(grpc::ServerContext*, Stream* stream) {
  bus::v1::ListenRequest request;
  if (!stream->Read(&request)) return grpc::Status::OK;
  if (!refusal_.ok()) return refusal_;
  bus::v1::ListenResponse registered;
  registered.mutable_registered()->set_session_id("s1");
  registered.mutable_registered()->set_session_epoch(1);
  registered.mutable_registered()->mutable_lease_duration()->set_seconds(15);
  registered.mutable_registered()->set_max_in_flight(64);
  stream->Write(registered);
  {
    MutexLock lock(mu_);
    registration_ = request.registration();
    stream_ = stream;
    changed_.NotifyAll();
  }
  bool draining = false;
  while (!draining && stream->Read(&request)) {
    Keep(request);
    draining = request.has_drain();
  }
  MutexLock lock(mu_);
  stream_ = nullptr;
  return grpc::Status::OK;
}

void FakeBus::Keep(const bus::v1::ListenRequest& request) {
  MutexLock lock(mu_);
  for (const bus::v1::Settlement& settlement : request.settlements().settlements()) settlements_.push_back(settlement);
  drained_ |= request.has_drain();
  changed_.NotifyAll();
}

}  // namespace pvebus::hook_service
