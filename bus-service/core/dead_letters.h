#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/filter.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/registry.h"

namespace pvebus::bus {

// What becomes of dead letters: an operator looks at them, has them delivered again, or discards them. One thread.
//
// Redrives and discards run one after the other, each checks all that is selected before it does anything, and what a redrive has
// is its own until its listener has settled it: so nothing is ever redriven and discarded.
//
// `done` is called during the call or later, and may be called after its caller is gone.
class DeadLetters {
 public:
  struct Selection {
    std::vector<uint64_t> ids;  // ascending, each once; empty: all
    Filter filter;              // ParseFilter
  };
  struct Page {
    std::vector<DeadLetter> letters;
    uint64_t next_after = 0;  // 0: that was all
  };
  struct Redriven {
    std::string redrive_id;
    uint64_t count = 0;
  };

  // Requires: both outlive this.
  DeadLetters(Parts& parts, Registry& registry) : parts_(parts), registry_(registry) {}

  // Over listener, reason, event_type, source, subject, ordering_key, event_id, attributes.KEY. FILTER_INVALID.
  static absl::StatusOr<Filter> ParseFilter(std::string_view text);

  // Those after an id.
  void List(const Filter& filter, uint64_t after_id, size_t max_letters, size_t max_bytes,
            std::function<void(absl::StatusOr<Page>)> done);
  // NOT_FOUND DEAD_LETTER_NOT_FOUND.
  void Get(uint64_t id, std::function<void(absl::StatusOr<DeadLetter>)> done);
  // How many there are; delivers them again unless `validate_only`. NOT_FOUND DEAD_LETTER_NOT_FOUND when one of the ids is not
  // there; FAILED_PRECONDITION REDRIVE_RUNNING when a listener of theirs has a redrive already.
  void Redrive(Selection selection, bool validate_only, std::function<void(absl::StatusOr<Redriven>)> done);
  // How many there are; forgets them unless `validate_only`. Those that are being redriven stay: REDRIVE_RUNNING when they are
  // among the ids, NOT_FOUND as above.
  void Discard(Selection selection, std::string reason, bool validate_only, std::function<void(absl::StatusOr<uint64_t>)> done);

  // The redrive that is delivering this letter; empty when there is none.
  std::string RedriveOf(const DeadLetter& letter) const;

 private:
  struct Scan;
  struct Chosen {
    uint64_t id = 0;
    ListenerId listener = 0;
    std::string redrive_id;  // of the redrive that has it
  };
  using ChosenDone = std::function<void(absl::StatusOr<std::vector<Chosen>>)>;
  using Visit = std::function<void(DeadLetter& letter)>;

  static bool Matches(const Filter& filter, const DeadLetter& letter);
  // `operation` runs when those before it have ended, which each says with EndOperation.
  void Enqueue(std::function<void()> operation);
  void RunOperation();
  void EndOperation();

  // Shows every letter of `ids` that is there, ascending; or, when there are none, all letters.
  void ForEach(std::vector<uint64_t> ids, Visit visit, std::function<void(absl::Status)> done);
  void ScanOn(const std::shared_ptr<Scan>& scan);
  // The letters that are selected, ascending; DEAD_LETTER_NOT_FOUND.
  void Choose(const std::shared_ptr<const Selection>& selection, ChosenDone done);

  // REDRIVE_RUNNING.
  absl::Status CheckNotRedriving(const std::vector<Chosen>& chosen) const;
  absl::Status CheckNotRedriven(const std::vector<Chosen>& chosen) const;
  void StartRedrive(std::vector<uint64_t> ids, std::function<void(absl::StatusOr<Redriven>)> done);
  void DiscardFrom(const std::shared_ptr<const std::vector<Chosen>>& chosen, size_t next,
                   std::function<void(absl::StatusOr<uint64_t>)> done);

  Parts& parts_;
  Registry& registry_;
  std::deque<std::function<void()>> operations_;  // the first one is under way
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
