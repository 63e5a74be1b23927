#include "bus-service/store/state_codec.h"

#include <algorithm>
#include <bit>

namespace pvebus::bus {
namespace {

constexpr uint64_t kSnapshotVersion = 2;
constexpr uint64_t kDetailVersion = 1;
constexpr uint64_t kEventVersion = 1;

void WriteError(const ListenerError& error, RecordWriter& writer) {
  writer.Signed(error.code);
  writer.Map(error.metadata);
  writer.Number(error.retryable);
}

void ReadError(RecordReader& reader, ListenerError& error) {
  error.code = static_cast<int>(reader.Signed());
  error.metadata = reader.Map();
  error.retryable = reader.Number() != 0;
}

void WriteAttempt(const AttemptRecord& attempt, RecordWriter& writer) {
  writer.Number(attempt.attempt);
  writer.Signed(ToNanos(attempt.end_time));
  writer.Text(attempt.instance_id);
  writer.Text(attempt.error.reason);
  writer.Text(attempt.error.message);
  WriteError(attempt.error, writer);
  writer.Text(attempt.replay_id);
}

void ReadAttempt(RecordReader& reader, AttemptRecord& attempt) {
  attempt.attempt = static_cast<uint32_t>(reader.Number());
  attempt.end_time = FromNanos(reader.Signed());
  attempt.instance_id = reader.Text();
  attempt.error.reason = reader.Text();
  attempt.error.message = reader.Text();
  ReadError(reader, attempt.error);
  attempt.replay_id = reader.Text();
}

void WriteDetail(const DeliveryRecord& delivery, RecordWriter& writer) {
  writer.Number(kDetailVersion);
  writer.Number(delivery.answered);
  writer.Number(delivery.lost_sessions);
  writer.Signed(delivery.latency.count());
  writer.Signed(ToNanos(delivery.next_attempt_time));
  writer.Text(delivery.instance_id);
  writer.Number(delivery.error.has_value());
  if (delivery.error) WriteError(*delivery.error, writer);
  writer.Text(delivery.hook_results);
  writer.Number(delivery.attempts.size());
  for (const AttemptRecord& attempt : delivery.attempts) WriteAttempt(attempt, writer);
}

bool ReadDetail(RecordReader& reader, DeliveryRecord& out) {
  if (reader.Number() != kDetailVersion) return false;
  out.answered = reader.Number() != 0;
  out.lost_sessions = static_cast<uint32_t>(reader.Number());
  out.latency = Duration(reader.Signed());
  out.next_attempt_time = FromNanos(reader.Signed());
  out.instance_id = reader.Text();
  if (reader.Number() != 0) ReadError(reader, out.error.emplace());
  out.hook_results = reader.Text();
  for (uint64_t left = reader.Number(); reader.ok() && left > 0; --left) ReadAttempt(reader, out.attempts.emplace_back());
  return reader.ok();
}

bool ReadEventRecord(RecordReader& reader, Event& out) {
  if (reader.Number() != kEventVersion) return false;
  out.request_id = reader.View();
  out.source = reader.View();
  out.subject = reader.View();
  out.ordering_key = reader.View();
  out.parent_event_id = reader.View();
  out.hop_count = static_cast<uint32_t>(reader.Number());
  out.attributes = reader.Map();
  Sequence last = 0;
  for (uint64_t left = reader.Number(); reader.ok() && left > 0; --left) {
    last += static_cast<uint64_t>(reader.Signed());
    out.ancestors.push_back(last);
  }
  for (uint64_t left = reader.Number(); reader.ok() && left > 0; --left) out.required_listeners.push_back(reader.Text());
  if (reader.Number() != 0) out.expire_time = FromNanos(reader.Signed());
  return reader.ok();
}

}  // namespace

std::string EncodeSnapshot(const ListenerSnapshot& snapshot) {
  RecordWriter writer;
  writer.Number(kSnapshotVersion);
  writer.Text(snapshot.name);
  writer.Text(snapshot.instance_id);
  writer.Text(snapshot.node);
  writer.Text(snapshot.peer);
  writer.Number(snapshot.epoch);
  writer.Number(snapshot.version);
  writer.Number(snapshot.paused);
  writer.Text(snapshot.pause_reason);
  writer.Signed(ToNanos(snapshot.create_time));
  writer.Signed(ToNanos(snapshot.connect_time));
  writer.Signed(snapshot.lease.count());
  writer.Signed(snapshot.policy.ack_deadline.count());
  writer.Signed(snapshot.policy.max_ack_extension.count());
  writer.Number(snapshot.policy.max_attempts);
  writer.Signed(snapshot.policy.minimum_backoff.count());
  writer.Signed(snapshot.policy.maximum_backoff.count());
  writer.Number(std::bit_cast<uint64_t>(snapshot.policy.backoff_multiplier));
  writer.Number(snapshot.max_in_flight);
  writer.Map(snapshot.labels);
  writer.Number(snapshot.born_after);
  writer.Number(snapshot.incidents.size());
  for (const Incident& incident : snapshot.incidents) {
    writer.Signed(ToNanos(incident.time));
    writer.Text(incident.kind);
    writer.Text(incident.message);
    writer.Number(incident.first);
    writer.Number(incident.last);
    writer.Number(incident.lost);
    writer.Number(incident.lost_at_least);
  }
  writer.Number(snapshot.lost_deliveries);
  writer.Number(snapshot.last_error.has_value());
  if (snapshot.last_error) {
    const ListenerError& error = snapshot.last_error->error;
    writer.Signed(ToNanos(snapshot.last_error->time));
    writer.Text(error.reason);
    writer.Text(error.message);
    WriteError(error, writer);
  }
  writer.Number(snapshot.deleted_after.has_value());
  if (snapshot.deleted_after) writer.Number(*snapshot.deleted_after);
  return writer.Take();
}

bool DecodeSnapshot(std::string_view bytes, ListenerSnapshot& out) {
  RecordReader reader(bytes);
  const uint64_t version = reader.Number();
  if (version == 0 || version > kSnapshotVersion) return false;
  out.name = reader.Text();
  out.instance_id = reader.Text();
  out.node = reader.Text();
  out.peer = reader.Text();
  out.epoch = reader.Number();
  out.version = reader.Number();
  out.paused = reader.Number() != 0;
  out.pause_reason = reader.Text();
  out.create_time = FromNanos(reader.Signed());
  out.connect_time = FromNanos(reader.Signed());
  out.lease = Duration(reader.Signed());
  out.policy.ack_deadline = Duration(reader.Signed());
  out.policy.max_ack_extension = Duration(reader.Signed());
  out.policy.max_attempts = static_cast<uint32_t>(reader.Number());
  out.policy.minimum_backoff = Duration(reader.Signed());
  out.policy.maximum_backoff = Duration(reader.Signed());
  out.policy.backoff_multiplier = std::bit_cast<double>(reader.Number());
  out.max_in_flight = static_cast<uint32_t>(reader.Number());
  out.labels = reader.Map();
  out.born_after = reader.Number();
  for (uint64_t left = reader.Number(); reader.ok() && left > 0; --left) {
    Incident& incident = out.incidents.emplace_back();
    incident.time = FromNanos(reader.Signed());
    incident.kind = reader.Text();
    incident.message = reader.Text();
    incident.first = reader.Number();
    incident.last = reader.Number();
    if (version == 1) {
      incident.lost_at_least = incident.kind == "BACKLOG_TRUNCATED";  // nobody counted them
      continue;
    }
    incident.lost = reader.Number();
    incident.lost_at_least = reader.Number() != 0;
  }
  if (version == 1) return reader.ok() && reader.at_end();
  out.lost_deliveries = reader.Number();
  if (reader.Number() != 0) {
    LastError& last = out.last_error.emplace();
    last.time = FromNanos(reader.Signed());
    last.error.reason = reader.Text();
    last.error.message = reader.Text();
    ReadError(reader, last.error);
  }
  if (reader.Number() != 0) out.deleted_after = reader.Number();
  return reader.ok() && reader.at_end();
}

std::string EncodeSequences(const std::vector<Sequence>& sequences) {
  RecordWriter writer;
  Sequence last = 0;
  for (const Sequence sequence : sequences) {
    writer.Number(sequence - last);
    last = sequence;
  }
  return writer.Take();
}

bool DecodeSequences(std::string_view bytes, std::vector<Sequence>& out) {
  RecordReader reader(bytes);
  Sequence last = 0;
  while (reader.ok() && !reader.at_end()) {
    last += reader.Number();
    out.push_back(last);
  }
  return reader.ok();
}

std::string EncodeGaps(const std::vector<Gap>& gaps) {
  std::vector<Sequence> ends;
  for (const Gap& gap : gaps) {
    ends.push_back(gap.first);
    ends.push_back(gap.last);
  }
  return EncodeSequences(ends);
}

bool DecodeGaps(std::string_view bytes, std::vector<Gap>& out) {
  std::vector<Sequence> ends;
  if (!DecodeSequences(bytes, ends) || ends.size() % 2 != 0) return false;
  for (size_t i = 0; i < ends.size(); i += 2) out.push_back({ends[i], ends[i + 1]});
  return true;
}

std::string EncodeDetail(const DeliveryRecord& delivery) {
  RecordWriter writer;
  WriteDetail(delivery, writer);
  return writer.Take();
}

bool DecodeDetail(std::string_view bytes, DeliveryRecord& out) {
  RecordReader reader(bytes);
  return ReadDetail(reader, out) && reader.at_end();
}

void EncodeDelivery(const DeliveryRecord& delivery, RecordWriter& writer) {
  writer.Number(delivery.sequence);
  writer.Number(static_cast<uint64_t>(delivery.state));
  writer.Number(delivery.attempt);
  writer.Text(delivery.error ? delivery.error->reason : std::string());
  writer.Text(delivery.error ? delivery.error->message : std::string());
  WriteDetail(delivery, writer);
}

bool DecodeDelivery(std::string_view bytes, DeliveryRecord& out) {
  RecordReader reader(bytes);
  out.sequence = reader.Number();
  out.state = static_cast<DeliveryState>(reader.Number());
  out.attempt = static_cast<uint32_t>(reader.Number());
  const std::string_view reason = reader.View();
  const std::string_view message = reader.View();
  if (!ReadDetail(reader, out)) return false;
  if (out.error) {
    out.error->reason = reason;
    out.error->message = message;
  }
  return reader.at_end();
}

void EncodeEventRecord(const Event& event, RecordWriter& writer) {
  writer.Number(kEventVersion);
  writer.Text(event.request_id);
  writer.Text(event.source);
  writer.Text(event.subject);
  writer.Text(event.ordering_key);
  writer.Text(event.parent_event_id);
  writer.Number(event.hop_count);
  writer.Map(event.attributes);
  writer.Number(event.ancestors.size());
  Sequence last = 0;
  for (const Sequence ancestor : event.ancestors) {
    writer.Signed(static_cast<int64_t>(ancestor - last));
    last = ancestor;
  }
  writer.Number(event.required_listeners.size());
  for (const std::string& listener : event.required_listeners) writer.Text(listener);
  writer.Number(event.expire_time.has_value());
  if (event.expire_time) writer.Signed(ToNanos(*event.expire_time));
}

bool DecodeEventRecord(std::string_view bytes, Event& out) {
  RecordReader reader(bytes);
  return ReadEventRecord(reader, out) && reader.at_end();
}

std::string EncodeEvent(const Event& event) {
  RecordWriter writer;
  EncodeEventRecord(event, writer);
  writer.Number(event.sequence);
  writer.Signed(ToNanos(event.publish_time));
  writer.Number(static_cast<uint64_t>(event.type));
  writer.Text(event.event_id);
  writer.Text(event.body);
  return writer.Take();
}

bool DecodeEvent(std::string_view bytes, Event& out) {
  RecordReader reader(bytes);
  if (!ReadEventRecord(reader, out)) return false;
  out.sequence = reader.Number();
  out.publish_time = FromNanos(reader.Signed());
  out.type = static_cast<EventType>(reader.Number());
  out.event_id = reader.View();
  out.body = reader.View();
  return reader.ok() && reader.at_end();
}

}  // namespace pvebus::bus
