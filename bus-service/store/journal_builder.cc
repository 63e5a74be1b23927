#include "bus-service/store/journal_builder.h"

#include <random>

#include "bus-service/store/id_index.h"
#include "bus-service/store/journal_files.h"
#include "bus-service/store/journal_schema.h"

namespace pvebus::bus {
namespace {

constexpr uint64_t kRowsPerTransaction = 20'000;

uint64_t RandomSeed() {
  std::random_device random;
  return static_cast<uint64_t>(random()) << 32 | random();
}

}  // namespace

JournalBuilder::JournalBuilder(std::unique_ptr<JournalTables> tables, uint64_t seed)
    : tables_(std::move(tables)), seed_(seed), segments_(IdHash(seed)) {}

absl::StatusOr<std::unique_ptr<JournalBuilder>> JournalBuilder::Create(const std::string& path, const std::string& vfs) {
  auto database = OpenJournalDatabase(path, vfs);
  if (!database.ok()) return database.status();
  if (auto status = (*database)->Execute("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=2000"); !status.ok())
    return status;
  if (auto status = PrepareJournalSchema(**database); !status.ok()) return status;
  auto tables = JournalTables::Open(*std::move(database));
  if (!tables.ok()) return tables.status();
  if (auto status = (*tables)->BeginWriting(); !status.ok()) return status;
  return std::unique_ptr<JournalBuilder>(new JournalBuilder(*std::move(tables), RandomSeed()));
}

absl::Status JournalBuilder::Add(const Event& event) {
  if (event.sequence != last_ + 1 && last_ != 0) {
    if (auto status = segments_.Close(*tables_); !status.ok()) return status;
  }
  last_ = event.sequence;
  if (auto status = segments_.Put(*tables_, event); !status.ok()) return status;
  const std::vector<IdEntry> ids = segments_.TakeIds();
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  if (!segments_.TakeEnds().empty() && ids_.size() >= IdIndex::kSealAt) {
    if (auto status = SealIds(); !status.ok()) return status;
  }
  return Breathe();
}

absl::Status JournalBuilder::SealIds() {
  const IdBlock block(ids_);
  for (size_t bucket = 0; bucket < IdBlock::kBuckets; ++bucket) {
    if (auto status = tables_->ids.PutBucket(next_block_, bucket, block.buckets[bucket]); !status.ok()) return status;
  }
  const IdRows::Block row{next_block_++, ids_.front().sequence, ids_.back().sequence,
                          std::make_shared<BlockedBloom>(block.bloom)};
  ids_.clear();
  if (auto status = tables_->ids.PutBlock(row); !status.ok()) return status;
  return tables_->segments.DropIds(0, row.last + 1);
}

absl::Status JournalBuilder::Breathe() {
  if (++rows_ < kRowsPerTransaction) return absl::OkStatus();
  rows_ = 0;
  if (auto status = tables_->Commit(); !status.ok()) return status;
  return tables_->BeginWriting();
}

absl::Status JournalBuilder::Finish(JournalState state) {
  state.hash_seed = seed_;
  // The next event does not follow the last one that is here.
  if (last_ != state.last_sequence) {
    if (auto status = segments_.Close(*tables_); !status.ok()) return status;
  }
  if (auto status = tables_->journal.Put(state); !status.ok()) return status;
  if (auto status = tables_->Commit(); !status.ok()) return status;
  return tables_->database->Execute("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace pvebus::bus
