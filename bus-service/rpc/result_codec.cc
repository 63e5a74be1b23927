#include "bus-service/rpc/result_codec.h"

#include <algorithm>

#include "bus-service/rpc/proto_writer.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

// Rows in each of the three ways in which they count.
struct Counts {
  uint32_t succeeded = 0;
  uint32_t failed = 0;
  uint32_t pending = 0;
  uint32_t final = 0;
  bool required_failed = false;

  void Add(DeliveryState state, bool required) {
    final += IsFinal(state);
    switch (state) {
      case DeliveryState::kSucceeded:
      case DeliveryState::kSkipped:
        ++succeeded;
        break;
      case DeliveryState::kRetryScheduled:
      case DeliveryState::kDeadLettered:
      case DeliveryState::kExpired:
        ++failed;
        required_failed |= required;
        break;
      default:
        ++pending;
    }
  }

  v1::PublishOutcome Outcome() const {
    if (succeeded + failed + pending == 0) return v1::PUBLISH_OUTCOME_NO_LISTENERS;
    if (required_failed) return v1::PUBLISH_OUTCOME_FAILED;
    if (pending > 0) return v1::PUBLISH_OUTCOME_PENDING;
    if (failed == 0) return v1::PUBLISH_OUTCOME_SUCCEEDED;
    return succeeded == 0 ? v1::PUBLISH_OUTCOME_FAILED : v1::PUBLISH_OUTCOME_PARTIAL;
  }
};

void AppendError(const ListenerError& error, std::string& out) {
  using Field = v1::ListenerError;
  ProtoWriter writer(out);
  writer.Number(Field::kCodeFieldNumber, static_cast<uint64_t>(static_cast<int64_t>(error.code)));
  writer.Bytes(Field::kReasonFieldNumber, error.reason);
  writer.Bytes(Field::kMessageFieldNumber, error.message);
  for (const auto& [key, value] : error.metadata) {
    writer.Message(Field::kMetadataFieldNumber, [&, &name = key, &text = value] {
      writer.Bytes(1, name);
      writer.Bytes(2, text);
    });
  }
  if (error.retryable) writer.Number(Field::kRetryableFieldNumber, 1);
}

void AppendRow(const ListenerRow& row, const RowView& view, std::string& out) {
  using Field = v1::ListenerResult;
  ProtoWriter writer(out);
  out += row.hook_results;
  writer.Bytes(Field::kListenerFieldNumber, *row.listener);
  writer.Number(Field::kStateFieldNumber, static_cast<uint64_t>(view.state));
  if (view.error) writer.Message(Field::kErrorFieldNumber, [&] { AppendError(*view.error, out); });
  if (row.attempt > 0) writer.Number(Field::kAttemptFieldNumber, row.attempt);
  if (row.answered) writer.Duration(Field::kLatencyFieldNumber, std::max(row.latency, Duration::zero()));
  if (view.state == DeliveryState::kRetryScheduled) writer.Timestamp(Field::kNextAttemptTimeFieldNumber, row.next_attempt_time);
  if (row.instance_id) writer.Bytes(Field::kInstanceIdFieldNumber, *row.instance_id);
  if (row.required) writer.Number(Field::kRequiredFieldNumber, 1);
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

void AppendResult(const Publication& publication, Bus& bus, std::string& out) {
  using Field = v1::PublishResult;
  const Event& event = *publication.event;
  ProtoWriter writer(out);
  writer.Bytes(Field::kEventIdFieldNumber, event.event_id);
  if (event.sequence > 0) writer.Number(Field::kSequenceFieldNumber, event.sequence);
  writer.Timestamp(Field::kPublishTimeFieldNumber, event.publish_time);
  Counts counts;
  for (const ListenerRow& row : publication.rows) {
    const RowView view = bus.View(row);
    counts.Add(view.state, row.required);
    writer.Message(Field::kListenerResultsFieldNumber, [&] { AppendRow(row, view, out); });
  }
  const auto number = [&writer](int field, uint64_t value) {
    if (value > 0) writer.Number(field, value);
  };
  number(Field::kOutcomeFieldNumber, counts.Outcome());
  number(Field::kMatchedCountFieldNumber, publication.rows.size());
  number(Field::kSucceededCountFieldNumber, counts.succeeded);
  number(Field::kFailedCountFieldNumber, counts.failed);
  number(Field::kPendingCountFieldNumber, counts.pending);
  number(Field::kSettledFieldNumber, counts.final == publication.rows.size());
}

void AppendResponse(const PublishReply& reply, Bus& bus, std::string& out) {
  ProtoWriter writer(out);
  writer.Message(v1::PublishResponse::kResultFieldNumber, [&] { AppendResult(*reply.publication, bus, out); });
  if (reply.duplicate) writer.Number(v1::PublishResponse::kDuplicateFieldNumber, 1);
}

void EncodeResult(const Publication& publication, Bus& bus, v1::PublishResult& out) {
  std::string bytes;
  AppendResult(publication, bus, bytes);
  out.ParseFromString(bytes);
}

}  // namespace pvebus::bus
