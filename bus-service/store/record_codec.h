#pragma once

#include <xxhash.h>

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sdk/base/clock.h"

namespace pvebus::bus {

// Bytes of the journal's blobs. Varints as in protobuf, strings with their length before them. Reading never trusts: what does
// not fit makes ok() false and every later value empty.

class RecordWriter {
 public:
  void Number(uint64_t value);
  void Signed(int64_t value) { Number(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63)); }
  void Text(std::string_view text);
  void Map(const std::map<std::string, std::string>& map);
  std::string Take() { return std::exchange(bytes_, {}); }
  // What was written so far; valid until more is.
  std::string_view bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number() {
    if (!bytes_.empty() && static_cast<unsigned char>(bytes_.front()) < 0x80) {
      const auto value = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      return value;
    }
    return LongNumber();
  }
  int64_t Signed() {
    const uint64_t value = Number();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  // Lives as long as the bytes that are read.
  std::string_view View();
  std::string Text() { return std::string(View()); }
  std::map<std::string, std::string> Map();
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  uint64_t LongNumber();

  std::string_view bytes_;
  bool ok_ = true;
};

int64_t ToNanos(SystemTime time);
SystemTime FromNanos(int64_t nanos);

// XXH3 over the values of one row (https://github.com/Cyan4973/xxHash), each seeded with what came before it: a byte that changed
// on the disk, or moved between columns, is noticed.
class RowChecksum {
 public:
  RowChecksum& Add(int64_t value) {
    state_ = (std::rotl(state_, 5) ^ static_cast<uint64_t>(value)) * 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 32;
    return *this;
  }
  RowChecksum& Add(uint64_t value) { return Add(static_cast<int64_t>(value)); }
  RowChecksum& Add(std::string_view bytes) {
    state_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), state_);
    return *this;
  }
  int64_t value() const { return static_cast<int64_t>(state_); }

 private:
  uint64_t state_ = 0x70766562;
};

}  // namespace pvebus::bus
