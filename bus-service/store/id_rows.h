#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/store/id_block.h"
#include "bus-service/store/statements.h"

namespace pvebus::bus {

// The rows of `id_blocks` and `id_entries`. Knows no threads and no transactions. One thread at a time.
class IdRows {
 public:
  struct Block {
    uint64_t number = 0;
    Sequence first = 0;
    Sequence last = 0;
    std::shared_ptr<const BlockedBloom> bloom;
  };

  explicit IdRows(SqliteDatabase& database) : sql_(database) {}
  absl::Status Prepare();

  absl::Status PutBucket(uint64_t block, size_t bucket, std::string_view entries);
  // The block is whole.
  absl::Status PutBlock(const Block& block);
  absl::Status DropBlock(uint64_t block);
  // Some of a block's buckets, which begins or ends there.
  absl::Status DropBuckets(uint64_t block, size_t first, size_t end);
  // Buckets of blocks from this one on: of one that was never finished.
  absl::Status DropBucketsFrom(uint64_t block);

  absl::StatusOr<bool> HasBucketsFrom(uint64_t block);

  absl::StatusOr<std::vector<Block>> Load();
  // Empty when there are none.
  absl::StatusOr<std::vector<Sequence>> Find(uint64_t block, uint64_t hash);
  // Damaged when one of the bucket's entries is.
  absl::Status Check(uint64_t block, size_t bucket);

 private:
  enum : size_t { kPutBucket, kPutBlock, kDropBlock, kDropBuckets, kBlocks, kBucket, kHasBlock, kHasBuckets };

  absl::Status ReadBucket(uint64_t block, size_t bucket, std::string& entries);

  Statements sql_;
};

}  // namespace pvebus::bus
