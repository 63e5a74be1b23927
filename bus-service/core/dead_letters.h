#pragma once

#include <cstdint>
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
// `done` is called during the call or later, and may be called after its caller is gone.
class DeadLetters {
 public:
  struct Selection {
    std::vector<uint64_t> ids;  // ascending; empty: all
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
  // How many there are; delivers them again unless `validate_only`. FAILED_PRECONDITION REDRIVE_RUNNING.
  void Redrive(Selection selection, bool validate_only, std::function<void(absl::StatusOr<Redriven>)> done);
  // How many there are that are not being redriven; forgets them unless `validate_only`.
  void Discard(Selection selection, std::string reason, bool validate_only, std::function<void(absl::StatusOr<uint64_t>)> done);

  // The redrive that is delivering this letter; empty when there is none.
  std::string RedriveOf(const DeadLetter& letter) const;

 private:
  struct Scan;
  using Visit = std::function<absl::Status(DeadLetter& letter)>;

  // Shows every selected letter, then calls `done` with OK or the error of a visit, which ends it.
  void ForEach(std::shared_ptr<const Selection> selection, Visit visit, std::function<void(absl::Status)> done);
  void ScanOn(const std::shared_ptr<Scan>& scan);
  static bool Matches(const Filter& filter, const DeadLetter& letter);
  void StartRedrive(std::shared_ptr<const Selection> selection, std::function<void(absl::StatusOr<Redriven>)> done);

  Parts& parts_;
  Registry& registry_;
  bool redriving_ = false;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
