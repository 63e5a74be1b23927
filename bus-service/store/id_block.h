#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bus-service/store/segment_rows.h"

namespace pvebus::bus {

// A Bloom filter whose answer costs one cache line: 16 bits per hash, 8 of them set within 64 bytes. "No" is certain. Immutable,
// any thread.
class BlockedBloom {
 public:
  explicit BlockedBloom(const std::vector<IdEntry>& entries);
  // Requires: as bytes() gave it.
  explicit BlockedBloom(std::string bytes) : bytes_(std::move(bytes)) {}

  bool MayContain(uint64_t hash) const;
  const std::string& bytes() const { return bytes_; }
  // False for bytes that no filter has.
  static bool Valid(std::string_view bytes) { return !bytes.empty() && bytes.size() % kLineBytes == 0; }

 private:
  static constexpr size_t kLineBytes = 64;
  size_t LineOf(uint64_t hash) const;

  std::string bytes_;
};

// The hashes of ids, sorted into buckets by their first bits. A bucket is one row.
struct IdBlock {
  static constexpr int kBucketBits = 12;
  static constexpr size_t kBuckets = size_t{1} << kBucketBits;
  static size_t BucketOf(uint64_t hash) { return hash >> (64 - kBucketBits); }

  // Requires: entries are not empty.
  explicit IdBlock(const std::vector<IdEntry>& entries);

  BlockedBloom bloom;
  std::vector<std::string> buckets;
};

// The sequences of a hash in a bucket.
std::vector<Sequence> FindInBucket(std::string_view bucket, uint64_t hash);

}  // namespace pvebus::bus
