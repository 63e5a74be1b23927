#include "bus-service/store/id_rows.h"

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/record_codec.h"

namespace pvebus::bus {
namespace {

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }
int64_t KeyOf(uint64_t block, size_t bucket) { return Signed(block << IdBlock::kBucketBits | bucket); }

int64_t BlockChecksum(int64_t number, int64_t first, int64_t last, std::string_view bloom) {
  return RowChecksum().Add(number).Add(first).Add(last).Add(bloom).value();
}

}  // namespace

absl::Status IdRows::Prepare() {
  return sql_.Prepare({
      "INSERT OR REPLACE INTO id_entries VALUES (?1,?2,?3)",
      "INSERT OR REPLACE INTO id_blocks VALUES (?1,?2,?3,?4,?5)",
      "DELETE FROM id_blocks WHERE block = ?1",
      "DELETE FROM id_entries WHERE bucket >= ?1 AND bucket < ?2",
      "SELECT * FROM id_blocks ORDER BY block",
      "SELECT entries, checksum FROM id_entries WHERE bucket = ?1",
      "SELECT 1 FROM id_blocks WHERE block = ?1",
      "SELECT 1 FROM id_entries WHERE bucket >= ?1 LIMIT 1",
  });
}

absl::Status IdRows::PutBucket(uint64_t block, size_t bucket, std::string_view entries) {
  SqliteStatement& put = sql_[kPutBucket];
  const int64_t key = KeyOf(block, bucket);
  put.Bind(1, key);
  put.BindBlob(2, entries);
  put.Bind(3, RowChecksum().Add(key).Add(entries).value());
  return put.Run();
}

absl::Status IdRows::PutBlock(const Block& block) {
  SqliteStatement& put = sql_[kPutBlock];
  put.Bind(1, Signed(block.number));
  put.Bind(2, Signed(block.first));
  put.Bind(3, Signed(block.last));
  put.BindBlob(4, block.bloom->bytes());
  put.Bind(5, BlockChecksum(Signed(block.number), Signed(block.first), Signed(block.last), block.bloom->bytes()));
  return put.Run();
}

absl::Status IdRows::DropBlock(uint64_t block) {
  sql_[kDropBlock].Bind(1, Signed(block));
  return sql_[kDropBlock].Run();
}

absl::Status IdRows::DropBuckets(uint64_t block, size_t first, size_t end) {
  sql_[kDropBuckets].Bind(1, KeyOf(block, 0) + Signed(first));
  sql_[kDropBuckets].Bind(2, KeyOf(block, 0) + Signed(end));
  return sql_[kDropBuckets].Run();
}

absl::Status IdRows::DropBucketsFrom(uint64_t block) {
  sql_[kDropBuckets].Bind(1, KeyOf(block, 0));
  sql_[kDropBuckets].Bind(2, INT64_MAX);
  return sql_[kDropBuckets].Run();
}

absl::StatusOr<bool> IdRows::HasBucketsFrom(uint64_t block) {
  sql_[kHasBuckets].Bind(1, KeyOf(block, 0));
  auto there = sql_[kHasBuckets].Step();
  sql_[kHasBuckets].Reset();
  return there;
}

absl::StatusOr<std::vector<IdRows::Block>> IdRows::Load() {
  std::vector<Block> blocks;
  auto status = ForEachRow(sql_[kBlocks], [&](const SqliteStatement& row) {
    if (row.Number(4) != BlockChecksum(row.Number(0), row.Number(1), row.Number(2), row.Bytes(3)) ||
        !BlockedBloom::Valid(row.Bytes(3))) {
      return Damaged("id_blocks", static_cast<Sequence>(row.Number(1)),
                     absl::StrFormat("block %d of ids does not match its checksum", row.Number(0)));
    }
    blocks.push_back({static_cast<uint64_t>(row.Number(0)), static_cast<Sequence>(row.Number(1)),
                      static_cast<Sequence>(row.Number(2)), std::make_shared<BlockedBloom>(std::string(row.Bytes(3)))});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return blocks;
}

absl::Status IdRows::ReadBucket(uint64_t block, size_t bucket, std::string& entries) {
  const int64_t key = KeyOf(block, bucket);
  sql_[kBucket].Bind(1, key);
  bool found = false;
  auto status = ForEachRow(sql_[kBucket], [&](const SqliteStatement& row) {
    found = true;
    entries = row.Bytes(0);
    return row.Number(1) == RowChecksum().Add(key).Add(row.Bytes(0)).value()
               ? absl::OkStatus()
               : Damaged("id_entries", 0, absl::StrFormat("bucket %d of ids does not match its checksum", key));
  });
  if (status.ok() && !found) return Damaged("id_entries", 0, absl::StrFormat("bucket %d of ids is missing", key));
  return status;
}

absl::StatusOr<std::vector<Sequence>> IdRows::Find(uint64_t block, uint64_t hash) {
  sql_[kHasBlock].Bind(1, Signed(block));
  auto there = sql_[kHasBlock].Step();
  if (!there.ok()) return there.status();
  sql_[kHasBlock].Reset();
  if (!*there) return std::vector<Sequence>();  // its events were forgotten meanwhile
  std::string entries;
  if (auto status = ReadBucket(block, IdBlock::BucketOf(hash), entries); !status.ok()) return status;
  return FindInBucket(entries, hash);
}

absl::Status IdRows::Check(uint64_t block, size_t bucket) {
  std::string entries;
  return ReadBucket(block, bucket, entries);
}

}  // namespace pvebus::bus
