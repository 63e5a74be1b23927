#include "sdk/client/session.h"

#include <utility>

#include "sdk/client/proto_time.h"
#include "sdk/status/status.h"

namespace pvebus::client {
namespace {

// Bounds of one Settlements message; the contract's is 10,000, gRPC's 4 MiB.
constexpr int kMaxSettlements = 5'000;
constexpr size_t kMaxSettlementBytes = 1 << 20;

}  // namespace

void Session::Outgoing::Clear() {
  messages.clear();
  settlements.mutable_settlements()->clear_settlements();  // keeps the memory for the next batch
  half_close = false;
}

Session::Session(uint64_t number, bus::v1::ListenerService::Stub& stub, const Clock& clock)
    : number_(number), stub_(stub), clock_(clock), last_sent_(clock.SteadyNow()) {}

void Session::Open(const bus::v1::Registration& registration) {
  context_.set_initial_metadata_corked(true);  // it travels with the registration
  stream_ = stub_.Listen(&context_);
  bus::v1::ListenRequest request;
  *request.mutable_registration() = registration;
  stream_->Write(request);
}

absl::Status Session::Finish() {
  const grpc::Status status = stream_->Finish();
  MutexLock lock(mu_);
  closed_ = true;
  while (writing_) written_.Wait(mu_);  // the call is over, so its writes end
  return FromGrpcStatus(status);
}

void Session::Answer(bus::v1::Settlement settlement) {
  MutexLock lock(mu_);
  if (!closed_) queued_.settlements.mutable_settlements()->add_settlements()->Swap(&settlement);
}

void Session::Extend(uint64_t delivery_id, Duration ack_deadline) {
  MutexLock lock(mu_);
  if (closed_) return;
  auto& extension = *queued_.messages.emplace_back().mutable_extension();
  extension.set_delivery_id(delivery_id);
  *extension.mutable_ack_deadline() = ToProto(ack_deadline);
}

void Session::Heartbeat() {
  MutexLock lock(mu_);
  last_sent_ = clock_.SteadyNow();
  if (closed_ || writing_ || !queued_.empty()) return;
  *queued_.messages.emplace_back().mutable_heartbeat()->mutable_send_time() = ToProto(clock_.SystemNow());
}

void Session::Drain(std::string reason) {
  MutexLock lock(mu_);
  if (!closed_) queued_.messages.emplace_back().mutable_drain()->set_reason(std::move(reason));
}

void Session::HalfClose() {
  MutexLock lock(mu_);
  if (!closed_) queued_.half_close = true;
}

void Session::Flush() {
  mu_.Lock();
  if (!writing_) {
    while (!closed_ && !queued_.empty()) {
      writing_ = true;
      std::swap(queued_, outgoing_);
      mu_.Unlock();
      const bool written = Write(outgoing_);
      const bool last = !written || outgoing_.half_close;
      outgoing_.Clear();
      mu_.Lock();
      writing_ = false;
      last_sent_ = clock_.SteadyNow();
      if (last) closed_ = true;
    }
    written_.NotifyAll();
  }
  mu_.Unlock();
}

SteadyTime Session::last_sent() const {
  MutexLock lock(mu_);
  return last_sent_;
}

bool Session::Write(const Outgoing& outgoing) {
  for (const auto& message : outgoing.messages) {
    if (!stream_->Write(message)) return false;
  }
  if (!outgoing.settlements.settlements().settlements().empty() && !WriteSettlements(outgoing.settlements)) return false;
  return !outgoing.half_close || stream_->WritesDone();
}

bool Session::WriteSettlements(const bus::v1::ListenRequest& all) {
  if (all.settlements().settlements_size() <= kMaxSettlements && all.ByteSizeLong() <= kMaxSettlementBytes) {
    return stream_->Write(all);
  }
  bus::v1::ListenRequest part;
  size_t part_bytes = 0;
  for (const auto& settlement : all.settlements().settlements()) {
    const size_t bytes = settlement.ByteSizeLong();
    const int count = part.settlements().settlements_size();
    if (count > 0 && (count == kMaxSettlements || part_bytes + bytes > kMaxSettlementBytes)) {
      if (!stream_->Write(part)) return false;
      part.Clear();
      part_bytes = 0;
    }
    *part.mutable_settlements()->add_settlements() = settlement;
    part_bytes += bytes;
  }
  return stream_->Write(part);
}

}  // namespace pvebus::client
