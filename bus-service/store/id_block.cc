#include "bus-service/store/id_block.h"

#include <algorithm>
#include <cstring>

namespace pvebus::bus {
namespace {

constexpr size_t kEntryBytes = 16;
constexpr int kProbes = 8;

// Which bit of a line the nth probe is: nine bits of a second hash each.
unsigned BitOf(uint64_t mixed, int probe) { return static_cast<unsigned>(mixed >> (7 * probe)) & 511; }

uint64_t Mix(uint64_t hash) {
  hash *= 0xff51afd7ed558ccd;
  return hash ^ hash >> 29;
}

}  // namespace

BlockedBloom::BlockedBloom(const std::vector<IdEntry>& entries) {
  const size_t lines = std::max<size_t>(1, (entries.size() * 2 + kLineBytes - 1) / kLineBytes);
  bytes_.assign(lines * kLineBytes, '\0');
  for (const IdEntry& entry : entries) {
    const size_t line = LineOf(entry.hash);
    const uint64_t mixed = Mix(entry.hash);
    for (int probe = 0; probe < kProbes; ++probe) {
      const unsigned bit = BitOf(mixed, probe);
      char& byte = bytes_[line + bit / 8];
      byte = static_cast<char>(static_cast<unsigned char>(byte) | 1u << bit % 8);
    }
  }
}

size_t BlockedBloom::LineOf(uint64_t hash) const {
  const uint64_t lines = bytes_.size() / kLineBytes;
  return static_cast<size_t>((hash >> 32) * lines >> 32) * kLineBytes;
}

bool BlockedBloom::MayContain(uint64_t hash) const {
  const char* line = bytes_.data() + LineOf(hash);
  const uint64_t mixed = Mix(hash);
  for (int probe = 0; probe < kProbes; ++probe) {
    const unsigned bit = BitOf(mixed, probe);
    if ((static_cast<unsigned char>(line[bit / 8]) >> bit % 8 & 1) == 0) return false;
  }
  return true;
}

IdBlock::IdBlock(const std::vector<IdEntry>& entries) : bloom(entries), buckets(kBuckets) {
  std::vector<size_t> counts(kBuckets);
  for (const IdEntry& entry : entries) ++counts[BucketOf(entry.hash)];
  for (size_t i = 0; i < kBuckets; ++i) buckets[i].reserve(counts[i] * kEntryBytes);
  for (const IdEntry& entry : entries) {
    char bytes[kEntryBytes];
    std::memcpy(bytes, &entry.hash, 8);
    std::memcpy(bytes + 8, &entry.sequence, 8);
    buckets[BucketOf(entry.hash)].append(bytes, kEntryBytes);
  }
}

std::vector<Sequence> FindInBucket(std::string_view bucket, uint64_t hash) {
  std::vector<Sequence> sequences;
  for (size_t at = 0; at + kEntryBytes <= bucket.size(); at += kEntryBytes) {
    uint64_t entry_hash = 0;
    Sequence sequence = 0;
    std::memcpy(&entry_hash, bucket.data() + at, 8);
    std::memcpy(&sequence, bucket.data() + at + 8, 8);
    if (entry_hash == hash) sequences.push_back(sequence);
  }
  return sequences;
}

}  // namespace pvebus::bus
