#include "migration-service/rpc/migration_messages.h"

#include <string>

#include "migration-service/rpc/phases.h"
#include "sdk/base/utf8.h"
#include "sdk/client/proto_time.h"

namespace pvebus::migration {
namespace {

constexpr size_t kMostTextBytes = 4096;

}  // namespace

v1::PhaseChange ToProto(const PhaseChange& change) {
  v1::PhaseChange proto;
  proto.set_number(change.number);
  proto.set_from_phase(ToProto(change.from));
  proto.set_to_phase(ToProto(change.to));
  *proto.mutable_change_time() = client::ToProto(change.time);
  proto.set_reason(CleanUtf8(change.reason, kMostTextBytes));
  proto.set_requested_by(CleanUtf8(change.requested_by, kMostTextBytes));
  proto.set_forced(change.forced);
  proto.set_automatic(change.automatic);
  proto.set_event_id(change.event_id);
  proto.set_applied_transaction_count(change.transactions);
  return proto;
}

v1::GateStatus ToProto(const GateVerdict& verdict) {
  v1::GateStatus proto;
  proto.set_gate(verdict.gate);
  proto.set_state(verdict.open ? v1::GATE_STATE_OPEN : v1::GATE_STATE_CLOSED);
  proto.set_message(verdict.message);
  return proto;
}

v1::RouteMapStatus ToProto(const RouteMapStatus& status) {
  v1::RouteMapStatus proto;
  proto.set_path(CleanUtf8(status.path, kMostTextBytes));
  proto.set_state(status.error.empty() && status.phase ? v1::ROUTE_MAP_STATE_CURRENT : v1::ROUTE_MAP_STATE_FAILED);
  if (status.phase) proto.set_phase(ToProto(*status.phase));
  proto.set_message(CleanUtf8(status.error, kMostTextBytes));
  return proto;
}

v1::EndpointOutcomes ToProto(const EndpointShare& share) {
  v1::EndpointOutcomes proto;
  proto.set_method(share.method);
  proto.set_path(CleanUtf8(share.pattern, kMostTextBytes));
  proto.set_implementation(ToProto(share.implementation));
  proto.set_reported_count(share.reports);
  proto.set_failed_count(share.failures);
  if (share.reports > 0) *proto.mutable_mean_latency() = client::ToProto(share.total / static_cast<int64_t>(share.reports));
  *proto.mutable_longest_latency() = client::ToProto(share.longest);
  return proto;
}

v1::Implementation ToProto(Implementation implementation) {
  return implementation == Implementation::kRust ? v1::IMPLEMENTATION_RUST : v1::IMPLEMENTATION_PERL;
}

v1::FallbackPolicy ToProto(Fallback fallback) {
  switch (fallback) {
    case Fallback::kNone:
      return v1::FALLBACK_POLICY_NONE;
    case Fallback::kAllowed:
      return v1::FALLBACK_POLICY_ALLOWED;
    case Fallback::kIfNotSent:
      return v1::FALLBACK_POLICY_IF_NOT_SENT;
  }
  return v1::FALLBACK_POLICY_UNSPECIFIED;
}

void SetStatus(const MigrationState::Status& status, v1::GetMigrationStatusResponse& response) {
  response.set_phase(ToProto(status.phase));
  if (status.last_change) {
    *response.mutable_phase_time() = client::ToProto(status.last_change->time);
    response.set_phase_event_id(status.last_change->event_id);
    *response.mutable_last_change() = ToProto(*status.last_change);
  }
  response.set_applied_transaction_count(status.transactions);
  response.set_last_applied_event_id(status.last_transaction_event_id);
  response.set_etag(status.etag());
  response.set_phase_applied_transaction_count(status.phase_transactions);
  if (const auto next = PhaseAfter(status.phase)) response.set_next_phase(ToProto(*next));
  response.set_reported_count(status.reports.reports);
  response.set_failed_count(status.reports.failures);
}

std::optional<Implementation> FromProto(v1::Implementation implementation) {
  switch (implementation) {
    case v1::IMPLEMENTATION_PERL:
      return Implementation::kPerl;
    case v1::IMPLEMENTATION_RUST:
      return Implementation::kRust;
    default:
      return std::nullopt;
  }
}

std::optional<CallResult> FromProto(v1::CallResult result) {
  switch (result) {
    case v1::CALL_RESULT_SUCCEEDED:
      return CallResult::kSucceeded;
    case v1::CALL_RESULT_REFUSED:
      return CallResult::kRefused;
    case v1::CALL_RESULT_FAILED:
      return CallResult::kFailed;
    case v1::CALL_RESULT_TIMED_OUT:
      return CallResult::kTimedOut;
    default:
      return std::nullopt;
  }
}

}  // namespace pvebus::migration
