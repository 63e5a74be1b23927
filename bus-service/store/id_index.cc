#include "bus-service/store/id_index.h"

#include <algorithm>
#include <cassert>

namespace pvebus::bus {

std::vector<IdEntry> IdIndex::Generation::Entries() const {
  std::vector<IdEntry> entries;
  entries.reserve(size());
  for (const auto& [hash, sequence] : by_hash) entries.push_back({hash, sequence});
  entries.insert(entries.end(), others.begin(), others.end());
  return entries;
}

void IdIndex::Add(const IdEntry& entry) {
  Generation& current = *current_;
  if (current.first == 0) current.first = entry.sequence;
  current.last = entry.sequence;
  const auto [place, added] = current.by_hash.try_emplace(entry.hash, entry.sequence);
  if (added) return;
  // The same id again, of an event that is forgotten; or, once in 2^64, another id.
  current.others.push_back({entry.hash, place->second});
  place->second = entry.sequence;
}

void IdIndex::AddBlock(IdRows::Block block) {
  next_block_ = std::max(next_block_, block.number + 1);
  blocks_.push_back(std::move(block));
}

void IdIndex::FindIn(const Generation& generation, uint64_t hash, Sequence first_sequence, Candidates& found) {
  const auto place = generation.by_hash.find(hash);
  if (place == generation.by_hash.end()) return;
  if (place->second >= first_sequence) found.sequences.push_back(place->second);
  for (const IdEntry& other : generation.others) {
    if (other.hash == hash && other.sequence >= first_sequence) found.sequences.push_back(other.sequence);
  }
}

IdIndex::Candidates IdIndex::Find(uint64_t hash, Sequence first_sequence) const {
  Candidates found;
  FindIn(*current_, hash, first_sequence, found);
  for (const auto& generation : frozen_) FindIn(*generation, hash, first_sequence, found);
  for (const IdRows::Block& block : blocks_) {
    if (block.bloom->MayContain(hash)) found.blocks.push_back(block.number);
  }
  return found;
}

std::shared_ptr<const IdIndex::Generation> IdIndex::FreezeIfFull() {
  if (current_->size() < seal_at_) return nullptr;
  current_->block = next_block_++;
  frozen_.push_back(std::exchange(current_, std::make_shared<Generation>()));
  return frozen_.back();
}

void IdIndex::Sealed(IdRows::Block block) {
  const auto frozen =
      std::find_if(frozen_.begin(), frozen_.end(), [&](const auto& generation) { return generation->block == block.number; });
  if (frozen == frozen_.end()) return;  // dropped meanwhile
  frozen_.erase(frozen);
  blocks_.push_back(std::move(block));
}

std::vector<uint64_t> IdIndex::DropBefore(Sequence sequence) {
  std::vector<uint64_t> dropped;
  while (!blocks_.empty() && blocks_.front().last < sequence) {
    dropped.push_back(blocks_.front().number);
    blocks_.pop_front();
  }
  // A frozen one waits for its block: then that is dropped.
  if (current_->last < sequence && current_->size() > 0) current_ = std::make_shared<Generation>();
  return dropped;
}

size_t IdIndex::in_memory() const {
  size_t size = current_->size();
  for (const auto& generation : frozen_) size += generation->size();
  return size;
}

}  // namespace pvebus::bus
