#include "sdk/service/rpc_server.h"

#include <chrono>
#include <utility>

#include "absl/status/statusor.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server_builder.h"
#include "sdk/service/server.h"

namespace pvebus::service {
namespace {

constexpr std::chrono::seconds kGrace{1};

}  // namespace

absl::Status RpcServer::Start(grpc::Service& rpc, const ServiceOptions& options) {
  InitServerPlugins();
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  if (absl::Status status = ports_.AddTo(builder, options); !status.ok()) return status;
  builder.RegisterService(&rpc);
  absl::StatusOr<std::unique_ptr<grpc::Server>> server = ports_.BuildAndStart(builder);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  SetServing(false);
  return absl::OkStatus();
}

void RpcServer::SetServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(rpc_name_, serving); }

void RpcServer::SayGoingAway() { server_->GetHealthCheckService()->Shutdown(); }

void RpcServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + kGrace);
  server_.reset();
}

}  // namespace pvebus::service
