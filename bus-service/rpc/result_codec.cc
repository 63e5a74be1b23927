#include "bus-service/rpc/result_codec.h"

#include "bus-service/rpc/time_codec.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

v1::PublishOutcome Outcome(const v1::PublishResult& result, bool required_failed) {
  if (result.matched_count() == 0) return v1::PUBLISH_OUTCOME_NO_LISTENERS;
  if (required_failed) return v1::PUBLISH_OUTCOME_FAILED;
  if (result.pending_count() > 0) return v1::PUBLISH_OUTCOME_PENDING;
  if (result.failed_count() == 0) return v1::PUBLISH_OUTCOME_SUCCEEDED;
  return result.succeeded_count() == 0 ? v1::PUBLISH_OUTCOME_FAILED : v1::PUBLISH_OUTCOME_PARTIAL;
}

void EncodeRow(const ListenerRow& row, const RowView& view, v1::ListenerResult& out) {
  if (!row.hook_results.empty()) out.MergeFromString(row.hook_results);
  out.set_listener(*row.listener);
  out.set_state(static_cast<v1::DeliveryState>(view.state));
  if (view.error) EncodeError(*view.error, *out.mutable_error());
  out.set_attempt(row.attempt);
  if (row.answered) *out.mutable_latency() = ToProto(row.latency);
  if (view.state == DeliveryState::kRetryScheduled) *out.mutable_next_attempt_time() = ToProto(row.next_attempt_time);
  if (row.instance_id) out.set_instance_id(*row.instance_id);
  out.set_required(row.required);
}

}  // namespace

void EncodeError(const ListenerError& error, v1::ListenerError& out) {
  out.set_code(error.code);
  out.set_reason(error.reason);
  out.set_message(error.message);
  for (const auto& [key, value] : error.metadata) (*out.mutable_metadata())[key] = value;
  out.set_retryable(error.retryable);
}

void EncodeStatus(const absl::Status& status, v1::ListenerError& out) {
  EncodeError({static_cast<int>(status.code()), ErrorReason(status), std::string(status.message()), ErrorMetadata(status),
               RetryDelay(status).has_value()},
              out);
}

void EncodeResult(const Publication& publication, Bus& bus, v1::PublishResult& out) {
  const Event& event = *publication.event;
  out.set_event_id(event.event_id);
  out.set_sequence(event.sequence);
  *out.mutable_publish_time() = ToProto(event.publish_time);
  uint32_t succeeded = 0, failed = 0, pending = 0, final = 0;
  bool required_failed = false;
  for (const ListenerRow& row : publication.rows) {
    const RowView view = bus.View(row);
    EncodeRow(row, view, *out.add_listener_results());
    final += IsFinal(view.state);
    switch (view.state) {
      case DeliveryState::kSucceeded:
      case DeliveryState::kSkipped:
        ++succeeded;
        break;
      case DeliveryState::kRetryScheduled:
      case DeliveryState::kDeadLettered:
      case DeliveryState::kExpired:
        ++failed;
        required_failed |= row.required;
        break;
      default:
        ++pending;
    }
  }
  out.set_matched_count(static_cast<uint32_t>(publication.rows.size()));
  out.set_succeeded_count(succeeded);
  out.set_failed_count(failed);
  out.set_pending_count(pending);
  out.set_settled(final == publication.rows.size());
  out.set_outcome(Outcome(out, required_failed));
}

}  // namespace pvebus::bus
