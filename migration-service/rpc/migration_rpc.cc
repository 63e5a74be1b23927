#include "migration-service/rpc/migration_rpc.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "migration-service/core/errors.h"
#include "migration-service/rpc/migration_messages.h"
#include "migration-service/rpc/phases.h"
#include "sdk/base/utf8.h"
#include "sdk/client/proto_time.h"
#include "sdk/service/page.h"
#include "sdk/service/reply.h"

namespace pvebus::migration {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using service::Reply;
using service::ReplyLater;

v1::SetPhaseOutcome OutcomeOf(const SetPhaseResult& result) {
  if (result.dry_run) return v1::SET_PHASE_OUTCOME_DRY_RUN;
  return result.change ? v1::SET_PHASE_OUTCOME_CHANGED : v1::SET_PHASE_OUTCOME_UNCHANGED;
}

absl::StatusOr<uint64_t> BeforeOf(const std::string& page_token) {
  uint64_t before = 0;
  if (page_token.empty()) return before;
  if (!absl::SimpleAtoi(page_token, &before) || before == 0) return service::PageTokenInvalid(page_token);
  return before;
}

}  // namespace

ServerUnaryReactor* MigrationRpc::GetMigrationStatus(CallbackServerContext* context, const v1::GetMigrationStatusRequest*,
                                                     v1::GetMigrationStatusResponse* response) {
  return ReplyLater(context, parts_.reading, [this, response] {
    const MigrationState::Status status = parts_.state.status();
    SetStatus(status, *response);
    if (PhaseAfter(status.phase)) {
      for (const GateVerdict& verdict : parts_.gates.Judge()) *response->add_gates() = ToProto(verdict);
    }
    if (parts_.map != nullptr) *response->mutable_route_map() = ToProto(parts_.map->status());
    return absl::OkStatus();
  });
}

ServerUnaryReactor* MigrationRpc::SetPhase(CallbackServerContext* context, const v1::SetPhaseRequest* request,
                                           v1::SetPhaseResponse* response) {
  return ReplyLater(context, parts_.changing,
                    [this, request, peer = context->peer(), response] { return SetPhaseNow(*request, peer, *response); });
}

absl::Status MigrationRpc::SetPhaseNow(const v1::SetPhaseRequest& request, const std::string& peer,
                                       v1::SetPhaseResponse& response) const {
  const auto phase = FromProto(request.phase());
  if (!phase) return PhaseInvalid(request.phase());
  const auto result = parts_.setter.Set({.phase = *phase,
                                         .force = request.force(),
                                         .validate_only = request.validate_only(),
                                         .reason = request.reason(),
                                         .etag = request.etag(),
                                         .request_id = request.request_id(),
                                         .requested_by = peer});
  if (!result.ok()) return result.status();
  response.set_outcome(OutcomeOf(*result));
  if (result->change) *response.mutable_change() = ToProto(*result->change);
  if (result->result) *response.mutable_result() = *result->result;
  for (const GateVerdict& verdict : result->gates) *response.add_gates() = ToProto(verdict);
  response.set_etag(parts_.state.status().etag());
  return absl::OkStatus();
}

ServerUnaryReactor* MigrationRpc::ResolveEndpoint(CallbackServerContext* context, const v1::ResolveEndpointRequest* request,
                                                  v1::ResolveEndpointResponse* response) {
  return Reply(context, Resolve(*request, *response));
}

absl::Status MigrationRpc::Resolve(const v1::ResolveEndpointRequest& request, v1::ResolveEndpointResponse& response) const {
  const auto endpoint = ParseEndpoint(request.method(), request.path());
  if (!endpoint.ok()) return endpoint.status();
  const MigrationState::Status status = parts_.state.status();
  const Route route = parts_.routes.Resolve(status.phase, *endpoint);
  response.set_implementation(ToProto(route.implementation));
  response.set_rule(route.rule);
  response.set_fallback(ToProto(route.fallback));
  *response.mutable_timeout() = client::ToProto(Duration(route.timeout));
  response.set_phase(ToProto(status.phase));
  response.set_etag(status.etag());
  response.set_path(CleanUtf8(endpoint->path(), endpoint->path().size()));
  return absl::OkStatus();
}

ServerUnaryReactor* MigrationRpc::ReportOutcome(CallbackServerContext* context, const v1::ReportOutcomeRequest* request,
                                                v1::ReportOutcomeResponse* response) {
  return ReplyLater(context, parts_.reading, [this, request, response] { return Report(*request, *response); });
}

absl::Status MigrationRpc::Report(const v1::ReportOutcomeRequest& request, v1::ReportOutcomeResponse& response) const {
  auto endpoint = ParseEndpoint(request.method(), request.path());
  if (!endpoint.ok()) return endpoint.status();
  const auto implementation = FromProto(request.implementation());
  if (!implementation) return ImplementationInvalid(request.implementation());
  const auto result = FromProto(request.result());
  if (!result) return ResultInvalid(request.result());
  absl::Status status = parts_.reports.Take({.endpoint = *std::move(endpoint),
                                             .implementation = *implementation,
                                             .result = *result,
                                             .latency = client::FromProto(request.latency())});
  const ReportCounts counts = parts_.state.status().reports;
  response.set_reported_count(counts.reports);
  response.set_failed_count(counts.failures);
  return status;
}

ServerUnaryReactor* MigrationRpc::ListOutcomes(CallbackServerContext* context, const v1::ListOutcomesRequest*,
                                               v1::ListOutcomesResponse* response) {
  for (const EndpointShare& share : parts_.outcomes.Shares()) *response->add_endpoints() = ToProto(share);
  return Reply(context, absl::OkStatus());
}

ServerUnaryReactor* MigrationRpc::ListPhaseHistory(CallbackServerContext* context, const v1::ListPhaseHistoryRequest* request,
                                                   v1::ListPhaseHistoryResponse* response) {
  return ReplyLater(context, parts_.reading, [this, request, response] { return ReadHistory(*request, *response); });
}

absl::Status MigrationRpc::ReadHistory(const v1::ListPhaseHistoryRequest& request, v1::ListPhaseHistoryResponse& response) const {
  const auto page_size = service::ParsePageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  const auto before = BeforeOf(request.page_token());
  if (!before.ok()) return before.status();
  auto changes = parts_.store.Changes(*before, *page_size + 1);
  if (!changes.ok()) return changes.status();
  if (changes->size() > *page_size) {
    changes->resize(*page_size);
    response.set_next_page_token(absl::StrFormat("%d", changes->back().number));
  }
  for (const PhaseChange& change : *changes) *response.add_changes() = ToProto(change);
  return absl::OkStatus();
}

}  // namespace pvebus::migration
