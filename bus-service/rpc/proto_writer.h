#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sdk/base/clock.h"

namespace pvebus::bus {

// Appends fields in protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) to a string: for the hot path,
// where an event that is already serialised must not be parsed and serialised again for every listener.
class ProtoWriter {
 public:
  explicit ProtoWriter(std::string& out) : out_(out) {}

  void Varint(uint64_t value) {
    char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
    bytes[size++] = static_cast<char>(value);
    out_.append(bytes, size);
  }
  void Number(int field, uint64_t value) {
    Varint(static_cast<uint64_t>(field) << 3);
    Varint(value);
  }
  // A string or a message that is serialised already.
  void Bytes(int field, std::string_view bytes) {
    Header(field, bytes.size());
    out_.append(bytes);
  }
  // What comes before the bytes.
  void Header(int field, size_t size) {
    Varint(static_cast<uint64_t>(field) << 3 | 2);
    Varint(size);
  }
  // A message whose fields `write` appends.
  template <typename Write>
  void Message(int field, Write write) {
    Varint(static_cast<uint64_t>(field) << 3 | 2);
    const size_t begin = out_.size() + 1;
    out_.push_back(0);
    write();
    uint64_t size = out_.size() - begin;
    if (size >= 0x80) out_.insert(begin, VarintSize(size) - 1, 0);
    for (size_t at = begin - 1;; ++at, size >>= 7) {
      out_[at] = static_cast<char>(size >= 0x80 ? size | 0x80 : size);
      if (size < 0x80) return;
    }
  }
  // google.protobuf.Timestamp and Duration look alike. Requires: not before 1970, and not negative.
  void Timestamp(int field, SystemTime time) {
    Time(field, std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
  }
  void Duration(int field, pvebus::Duration duration) {
    Time(field, std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
  }

  static size_t VarintSize(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
  }

 private:
  void Time(int field, int64_t nanos) {
    const auto seconds = static_cast<uint64_t>(nanos / 1'000'000'000);
    const auto rest = static_cast<uint64_t>(nanos % 1'000'000'000);
    Header(field, 2 + VarintSize(seconds) + VarintSize(rest));
    Number(1, seconds);
    Number(2, rest);
  }

  std::string& out_;
};

}  // namespace pvebus::bus
