#include "bus-service/store/record_codec.h"

namespace pvebus::bus {

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

uint64_t RecordReader::LongNumber() {
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

std::string_view RecordReader::View() {
  const uint64_t size = Number();
  if (size > bytes_.size()) {
    ok_ = false;
    bytes_ = {};
    return {};
  }
  const std::string_view text = bytes_.substr(0, size);
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

int64_t ToNanos(SystemTime time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count(); }

SystemTime FromNanos(int64_t nanos) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(nanos)));
}

}  // namespace pvebus::bus
