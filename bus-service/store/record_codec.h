#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bus-service/core/state_log.h"

namespace pvebus::bus {

// Bytes of the journal's blobs. Varints as in protobuf, strings with their length before them. Reading never trusts: what does
// not fit makes ok() false and every later value empty.

class RecordWriter {
 public:
  void Number(uint64_t value);
  void Signed(int64_t value) { Number(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63)); }
  void Text(std::string_view text);
  void Map(const std::map<std::string, std::string>& map);
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number();
  int64_t Signed() {
    const uint64_t value = Number();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  std::string Text();
  std::map<std::string, std::string> Map();
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

std::string EncodeSnapshot(const ListenerSnapshot& snapshot);
bool DecodeSnapshot(std::string_view bytes, ListenerSnapshot& out);
// Ascending numbers, as differences.
std::string EncodeSequences(const std::vector<Sequence>& sequences);
bool DecodeSequences(std::string_view bytes, std::vector<Sequence>& out);
// What has no column of its own.
std::string EncodeDetail(const DeliveryRecord& delivery);
bool DecodeDetail(std::string_view bytes, DeliveryRecord& out);

int64_t ToNanos(SystemTime time);
SystemTime FromNanos(int64_t nanos);

// XXH3 over values of one row (https://github.com/Cyan4973/xxHash): a byte that changed on the disk is noticed.
class RowChecksum {
 public:
  RowChecksum& Add(int64_t value);
  RowChecksum& Add(std::string_view bytes);
  // Of everything added since the last call.
  int64_t Take();

 private:
  std::string bytes_;
};

}  // namespace pvebus::bus
