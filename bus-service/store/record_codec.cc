#include "bus-service/store/record_codec.h"

#include <xxhash.h>

#include <bit>

namespace pvebus::bus {
namespace {

constexpr uint64_t kSnapshotVersion = 1;
constexpr uint64_t kDetailVersion = 1;

}  // namespace

void RecordWriter::Number(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void RecordWriter::Text(std::string_view text) {
  Number(text.size());
  bytes_.append(text);
}

void RecordWriter::Map(const std::map<std::string, std::string>& map) {
  Number(map.size());
  for (const auto& [key, value] : map) {
    Text(key);
    Text(value);
  }
}

uint64_t RecordReader::Number() {
  uint64_t value = 0;
  for (int shift = 0; ok_ && shift < 64; shift += 7) {
    if (bytes_.empty()) break;
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  ok_ = false;
  bytes_ = {};
  return 0;
}

std::string RecordReader::Text() {
  const uint64_t size = Number();
  if (size > bytes_.size()) {
    ok_ = false;
    bytes_ = {};
    return {};
  }
  std::string text(bytes_.substr(0, size));
  bytes_.remove_prefix(size);
  return text;
}

std::map<std::string, std::string> RecordReader::Map() {
  std::map<std::string, std::string> map;
  for (uint64_t left = Number(); ok_ && left > 0; --left) {
    std::string key = Text();
    map[std::move(key)] = Text();
  }
  return map;
}

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
  return writer.Take();
}

bool DecodeSnapshot(std::string_view bytes, ListenerSnapshot& out) {
  RecordReader reader(bytes);
  if (reader.Number() != kSnapshotVersion) return false;
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

std::string EncodeDetail(const DeliveryRecord& delivery) {
  RecordWriter writer;
  writer.Number(kDetailVersion);
  writer.Number(delivery.answered);
  writer.Number(delivery.lost_sessions);
  writer.Signed(delivery.latency.count());
  writer.Signed(ToNanos(delivery.next_attempt_time));
  writer.Text(delivery.instance_id);
  writer.Number(delivery.error.has_value());
  if (delivery.error) {
    writer.Signed(delivery.error->code);
    writer.Map(delivery.error->metadata);
    writer.Number(delivery.error->retryable);
  }
  writer.Text(delivery.hook_results);
  return writer.Take();
}

bool DecodeDetail(std::string_view bytes, DeliveryRecord& out) {
  RecordReader reader(bytes);
  if (reader.Number() != kDetailVersion) return false;
  out.answered = reader.Number() != 0;
  out.lost_sessions = static_cast<uint32_t>(reader.Number());
  out.latency = Duration(reader.Signed());
  out.next_attempt_time = FromNanos(reader.Signed());
  out.instance_id = reader.Text();
  if (reader.Number() != 0) {
    ListenerError error;
    error.code = static_cast<int>(reader.Signed());
    error.metadata = reader.Map();
    error.retryable = reader.Number() != 0;
    out.error = std::move(error);
  }
  out.hook_results = reader.Text();
  return reader.ok() && reader.at_end();
}

int64_t ToNanos(SystemTime time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count(); }

SystemTime FromNanos(int64_t nanos) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(nanos)));
}

RowChecksum& RowChecksum::Add(int64_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  return *this;
}

RowChecksum& RowChecksum::Add(std::string_view bytes) {
  Add(static_cast<int64_t>(bytes.size()));
  bytes_.append(bytes);
  return *this;
}

int64_t RowChecksum::Take() {
  const auto value = static_cast<int64_t>(XXH3_64bits(bytes_.data(), bytes_.size()));
  bytes_.clear();
  return value;
}

}  // namespace pvebus::bus
