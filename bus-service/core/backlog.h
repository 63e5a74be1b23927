#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "bus-service/core/cursor.h"
#include "bus-service/core/parts.h"

namespace pvebus::bus {

// How many events ahead of a cursor are wanted, kept up to date without looking at them. While a count of a part of the journal
// is under way it is too low; what had expired before it was counted is in it until the cursor passes it. One thread.
class Backlog {
 public:
  // Requires: both outlive this.
  Backlog(Parts& parts, const Cursor& cursor) : parts_(parts), cursor_(cursor) {}

  // As it was saved; what was journaled after `counted_until` is still to be counted.
  void Restore(uint64_t ahead, Sequence counted_until);
  // The cursor has moved, or what it wants of older events is another.
  void Recount();
  // The cursor has been moved over events that are lost. `lost` gets how many of them were wanted, during the call or when what
  // is left has been counted; one number for several moves in a row. False when it can never be known: what was ahead was not
  // counted.
  using Lost = std::function<void(uint64_t)>;
  bool RecountAfterLoss(Lost lost);

  // A wanted event has been journaled.
  void Add() { ++ahead_; }
  // The cursor has passed a wanted event.
  void Passed(Sequence sequence);
  // A wanted event ahead has expired, and waits no more. At most kMaxExpired are known, the others count until they are passed.
  void Expired(Sequence sequence);
  // The cursor is at the journal's end.
  void Clear();

  uint64_t count() const;
  // Expired ones included: what Restore takes.
  uint64_t ahead() const { return ahead_ > 0 ? static_cast<uint64_t>(ahead_) : 0; }
  bool counting() const { return counting_ != nullptr; }

 private:
  static constexpr size_t kMaxExpired = 4096;

  void Count(Sequence from, Sequence to);
  void TellLost();

  Parts& parts_;
  const Cursor& cursor_;
  int64_t ahead_ = 0;
  absl::flat_hash_set<Sequence> expired_;
  std::shared_ptr<int> counting_;  // names the count under way
  // While what is left after a loss is counted: what was ahead before, but for what `ahead_` says that came and went since.
  std::optional<int64_t> before_loss_;
  Lost lost_;
};

}  // namespace pvebus::bus
