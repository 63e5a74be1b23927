#include "migration-service/rpc/gate_keeper.h"

#include <chrono>
#include <utility>

#include "grpcpp/client_context.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"

namespace pvebus::migration {
namespace {

constexpr std::chrono::seconds kLimit{2};

}  // namespace

GateKeeper::GateKeeper(GateLimits limits, const MigrationState& state, std::shared_ptr<grpc::Channel> bus)
    : limits_(std::move(limits)), state_(state), bus_(std::move(bus)) {}

std::vector<GateVerdict> GateKeeper::Judge() const {
  const MigrationState::Status status = state_.status();
  GateFacts facts{
      .transactions = status.phase_transactions, .reports = status.reports.reports, .failures = status.reports.failures};
  const auto deadline = std::chrono::system_clock::now() + kLimit;
  for (const std::string& listener : limits_.quiet_listeners) {
    const auto stub = bus::v1::RegistryService::NewStub(bus_);
    grpc::ClientContext context;
    context.set_deadline(deadline);
    bus::v1::GetListenerRequest request;
    request.set_name(listener);
    bus::v1::GetListenerResponse response;
    if (!stub->GetListener(&context, request, &response).ok()) continue;
    facts.dead_letters[listener] = response.listener().dead_letters();
  }
  return JudgeGates(limits_, facts);
}

std::vector<GateVerdict> GateKeeper::JudgeFor(const PhaseOrder& order) const {
  if (order.force || order.to <= state_.status().phase) return {};
  return Judge();
}

}  // namespace pvebus::migration
