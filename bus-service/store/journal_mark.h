#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bus-service/core/event.h"

namespace pvebus::bus {

// What was committed, as a file of its own says: `journal.mark`. SQLite ends its recovery in silence at the first bad frame of a
// WAL; a journal that is older than its mark has lost commits.
struct Mark {
  Sequence last_sequence = 0;
  uint64_t commits = 0;  // JournalState::commits
};

// The file, open for writing. Rewritten in its one sector after each commit, never synced: it may be older than the journal,
// never newer. One thread at a time.
class JournalMark {
 public:
  struct Opened {
    std::unique_ptr<JournalMark> file;
    std::optional<Mark> mark;  // nothing: the file was not there, and is made with the next Write
    absl::Status status;       // Damaged when it is
  };

  // PERMISSION_DENIED, RESOURCE_EXHAUSTED.
  static absl::StatusOr<Opened> Open(const std::string& directory);
  ~JournalMark();
  JournalMark(const JournalMark&) = delete;
  JournalMark& operator=(const JournalMark&) = delete;

  absl::Status Write(const Mark& mark);
  // As Write, and it is on the disk.
  absl::Status WriteAndSync(const Mark& mark);

 private:
  JournalMark(int file, std::string path) : file_(file), path_(std::move(path)) {}

  const int file_;
  const std::string path_;
};

}  // namespace pvebus::bus
