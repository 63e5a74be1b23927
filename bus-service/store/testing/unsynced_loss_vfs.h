#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "sdk/base/mutex.h"

namespace pvebus::bus {

// The system's file layer, which also remembers what of every file is safe: what was synced, and what was written since. So a
// test can ask at any moment what a power loss would leave. Names are safe once their directory was synced, as SQLite does it:
// with the first sync of a journal or write-ahead log, and with a deletion that asks for it.
//
// Registered under `name()` for as long as it lives, which must be longer than every connection that uses it. Any thread.
class UnsyncedLossVfs {
 public:
  // What becomes of writes that were not synced.
  enum class Survival {
    kNothing,  // all are lost
    kPrefix,   // the first ones are there, the next is torn at a sector of 512 bytes
    kRandom,   // each sector of each write is there or not
  };
  enum class Operation { kWrite, kTruncate, kSync, kDelete };
  // The path is SQLite's, the file is as it was before the operation.
  using Observer = std::function<void(Operation, const std::string& path)>;

  explicit UnsyncedLossVfs(std::string name);
  ~UnsyncedLossVfs();
  UnsyncedLossVfs(const UnsyncedLossVfs&) = delete;
  UnsyncedLossVfs& operator=(const UnsyncedLossVfs&) = delete;

  const std::string& name() const { return name_; }
  // Called before every operation on the thread that does it. It may call LosePower, and wait. Requires: no operation is under
  // way.
  void SetObserver(Observer observer) { observer_ = std::move(observer); }
  // Puts into `directory`, which is made, all files that were opened as a power loss at this moment would leave them.
  void LosePower(const std::string& directory, Survival survival, uint32_t seed) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Change {
    bool truncate;
    int64_t offset;  // of a truncation: the size
    std::string bytes;
  };
  struct Content {
    std::string synced;  // as it was at the last sync
    std::vector<Change> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Content>>;
  struct OpenFile;
  struct File;
  class Methods;

  static std::string Left(const Content& content, Survival survival, uint32_t seed);
  void Observe(Operation operation, const std::string& path) const;
  OpenFile* Opened(const std::string& path, bool existed, bool journal) ABSL_LOCKS_EXCLUDED(mutex_);
  void Write(OpenFile& file, Change change) ABSL_LOCKS_EXCLUDED(mutex_);
  void Sync(OpenFile& file) ABSL_LOCKS_EXCLUDED(mutex_);
  void Deleted(const std::string& path, bool sync_directory) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string name_;
  sqlite3_vfs* const system_;
  sqlite3_vfs vfs_;
  Observer observer_;

  mutable Mutex mutex_;
  Names names_ ABSL_GUARDED_BY(mutex_);       // as the operating system shows them
  Names safe_names_ ABSL_GUARDED_BY(mutex_);  // as they were when the directory was synced
};

}  // namespace pvebus::bus
