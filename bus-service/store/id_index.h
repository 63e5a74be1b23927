#pragma once

#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bus-service/store/id_rows.h"

namespace pvebus::bus {

// Which events may have an id, by its hash: exactly for the recent ones, whose hashes are in memory; for older ones a filter per
// block of hashes says "surely not here", or which block to look into. One thread.
class IdIndex {
 public:
  static constexpr size_t kSealAt = 900'000;  // just what a table of 2^20 slots holds

  // Hashes that are in memory together, and become a block together. Immutable once frozen.
  struct Generation {
    absl::flat_hash_map<uint64_t, Sequence> by_hash;
    std::vector<IdEntry> others;  // of hashes that are in the map already
    Sequence first = 0;
    Sequence last = 0;
    uint64_t block = 0;  // the block it becomes

    size_t size() const { return by_hash.size() + others.size(); }
    std::vector<IdEntry> Entries() const;
  };
  struct Candidates {
    std::vector<Sequence> sequences;
    std::vector<uint64_t> blocks;

    bool empty() const { return sequences.empty() && blocks.empty(); }
  };

  explicit IdIndex(size_t seal_at = kSealAt) : seal_at_(seal_at) {}

  // Entries ascend by sequence.
  void Add(const IdEntry& entry);
  void AddBlock(IdRows::Block block);
  Candidates Find(uint64_t hash, Sequence first_sequence) const;

  // All that is there so far, to be made a block, when it is enough; null when not. Until Sealed it is still found in memory.
  std::shared_ptr<const Generation> FreezeIfFull();
  // Requires: `block` is of the oldest generation that was frozen.
  void Sealed(IdRows::Block block);
  // Forgets what was before `sequence`; gives the blocks that are not needed any more.
  std::vector<uint64_t> DropBefore(Sequence sequence);

  size_t in_memory() const;
  uint64_t next_block() const { return next_block_; }

 private:
  static void FindIn(const Generation& generation, uint64_t hash, Sequence first_sequence, Candidates& found);

  const size_t seal_at_;
  uint64_t next_block_ = 0;
  std::list<IdRows::Block> blocks_;                      // ascending
  std::list<std::shared_ptr<const Generation>> frozen_;  // ascending
  std::shared_ptr<Generation> current_ = std::make_shared<Generation>();
};

}  // namespace pvebus::bus
