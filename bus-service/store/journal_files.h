#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bus-service/store/journal_loader.h"
#include "bus-service/store/journal_mark.h"
#include "bus-service/store/journal_tables.h"
#include "sdk/base/log.h"

namespace pvebus::bus {

// Held for as long as a data directory is in use; the kernel lets it go with the process, however that ends.
class DirectoryLock {
 public:
  // Makes the directory (mode 0700) where it is missing. FAILED_PRECONDITION when another bus is using it.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  const int file_;
};

// The files of a journal, opened and loaded. What is damaged is among the problems; without tables nothing can be read.
struct JournalFiles {
  std::unique_ptr<JournalMark> mark_file;
  std::optional<Mark> mark;
  std::unique_ptr<JournalTables> tables;
  LoadedJournal loaded;
};

// Makes the files where there are none. Fails only when they are somebody else's, of a newer bus, or cannot be had.
absl::StatusOr<JournalFiles> OpenJournalFiles(const std::string& directory, const std::string& vfs);
// Another connection, that only reads.
absl::StatusOr<std::unique_ptr<JournalTables>> OpenForReading(const std::string& directory, const std::string& vfs);
// The files stay as they are when this connection closes.
void LeaveAsItIs(SqliteDatabase& database);
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenJournalDatabase(const std::string& path, const std::string& vfs);

}  // namespace pvebus::bus
