#include "migration-service/rpc/phase_setter.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "migration-service/core/errors.h"
#include "migration-service/rpc/phase_event.h"
#include "sdk/base/error.h"
#include "sdk/client/random_id.h"

namespace pvebus::migration {
namespace {

constexpr char kListener[] = "migration-hooks";
// The bus waits 10 s for listeners.
constexpr std::chrono::seconds kLimit{15};

// The same for the same request, also after a restart: an event's id has a smaller alphabet than a request's.
std::string EventIdOf(const std::string& request_id) {
  uint64_t hash = 14695981039346656037u;
  for (const char byte : request_id) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  return absl::StrFormat("set-phase:%016x", hash);
}

absl::Status PhasePending(const std::string& event_id) {
  return MakeError(
      absl::StatusCode::kUnknown, "PHASE_PENDING",
      absl::StrFormat("event %s asks for the phase, but has not come back yet; when it does it is checked", event_id),
      {{"event_id", event_id}});
}

// Without a reason it is no answer of the bus.
absl::Status NotPublished(const absl::Status& status, const std::string& event_id) {
  if (!ErrorReason(status).empty()) return status;
  if (absl::IsDeadlineExceeded(status)) return PhasePending(event_id);
  if (!absl::IsUnavailable(status)) return status;
  return MakeError(status.code(), "BUS_UNAVAILABLE",
                   absl::StrFormat("the bus does not answer, and the phase changes only through it: %s", status.message()));
}

// Why our own hooks did not make it the phase.
absl::Status Rejected(const bus::v1::ListenerResult& row, const std::string& event_id) {
  const bool faster = row.error().reason() == "PHASE_CHANGED";
  return MakeError(faster ? absl::StatusCode::kAborted : absl::StatusCode::kFailedPrecondition, row.error().reason(),
                   row.error().message(), {{"event_id", event_id}});
}

}  // namespace

absl::StatusOr<SetPhaseResult> PhaseSetter::Set(const SetPhaseOrder& order) {
  if (order.reason.size() > kMostReasonBytes) return FieldTooLong("reason", kMostReasonBytes);
  if (order.request_id.size() > kMostRequestIdBytes) return FieldTooLong("request_id", kMostRequestIdBytes);
  {
    MutexLock lock(mu_);
    while (taken_) freed_.Wait(mu_);
    taken_ = true;
  }
  auto result = SetInTurn(order);
  MutexLock lock(mu_);
  taken_ = false;
  freed_.NotifyOne();
  return result;
}

absl::StatusOr<SetPhaseResult> PhaseSetter::SetInTurn(const SetPhaseOrder& order) {
  const std::string event_id = order.request_id.empty() ? "set-phase:" + client::RandomId(random_) : EventIdOf(order.request_id);
  if (!order.request_id.empty()) {
    auto earlier = store_.ChangeOf(event_id);
    if (!earlier.ok()) return earlier.status();
    if (*earlier && (*earlier)->to != order.phase) return RequestIdConflict(order.request_id, (*earlier)->to);
    if (*earlier) return SetPhaseResult{.change = **std::move(earlier)};
  }
  const MigrationState::Status status = state_.status();
  if (!order.etag.empty() && order.etag != status.etag()) return EtagMismatch(status.etag());
  if (order.phase == status.phase) return SetPhaseResult{};
  const PhaseOrder wanted{.to = order.phase,
                          .from = status.phase,
                          .force = order.force,
                          .reason = order.reason,
                          .requested_by = order.requested_by,
                          .event_id = event_id};
  SetPhaseResult result{.gates = gates_.JudgeFor(wanted)};
  if (absl::Status allowed = state_.Check(wanted, result.gates); !allowed.ok()) return allowed;
  result.dry_run = order.validate_only;
  if (result.dry_run) return result;
  return Publish(wanted, std::move(result));
}

absl::StatusOr<SetPhaseResult> PhaseSetter::Publish(const PhaseOrder& order, SetPhaseResult result) {
  const client::PublishOptions options{.request_id = order.event_id, .deadline = kLimit, .required_listeners = {kListener}};
  auto response = publisher_.Publish(EventOf(order), options);
  if (!response.ok()) return NotPublished(response.status(), order.event_id);
  result.result = std::move(*response->mutable_result());
  auto change = store_.ChangeOf(order.event_id);
  if (!change.ok()) return change.status();
  if (*change) {
    result.change = **std::move(change);
    return result;
  }
  for (const bus::v1::ListenerResult& row : result.result->listener_results()) {
    if (row.listener() != kListener) continue;
    if (row.state() == bus::v1::DELIVERY_STATE_DEAD_LETTERED) return Rejected(row, order.event_id);
    // Somebody else had made it the phase just before.
    if (row.state() == bus::v1::DELIVERY_STATE_SUCCEEDED) return result;
  }
  return PhasePending(order.event_id);
}

}  // namespace pvebus::migration
