#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/posix/fd.h"

namespace pvebus::network {

// Changes the files of one folder. Each change is atomic, and on the disk when a call returns OK; a process that dies in it
// leaves what was, or what was to be, and at most a file kTemporaryName, which the next change makes anew. Errors are those of
// ConfigurationUnwritable. One thread, and nobody else's changes meanwhile.
class DurableFolder {
 public:
  static absl::StatusOr<DurableFolder> Open(const std::string& path);

  std::string PathOf(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Also a link that leads nowhere.
  bool Has(const char* name) const;

  // `name` has these bytes. Mode and owner are those of `like`; when there is none, 0644 and this process'.
  absl::Status Put(const char* name, std::string_view bytes, const char* like);
  // `from` is `to`, whether there was one or not.
  absl::Status Rename(const char* from, const char* to);
  // `to` is another name of `from`, whether there was one or not. Takes no room, unless the file system has no links: then it is
  // a copy, as CopyTo makes it. Makes sure that what `from` has is on the disk, too.
  absl::Status LinkTo(const char* from, const char* to);
  // `to` has what `from` has, its mode, and its owner.
  absl::Status CopyTo(const char* from, const char* to);
  // OK when there is none.
  absl::Status Remove(const char* name);
  // What the file has is on the disk.
  absl::Status SyncFile(const char* name);

 private:
  DurableFolder(std::string path, Fd folder) : path_(std::move(path)), folder_(std::move(folder)) {}

  absl::Status Failed(std::string_view name, int error) const;
  absl::Status WriteTemporary(std::string_view bytes, const char* like);
  absl::Status RemoveTemporary();
  absl::Status Sync();

  std::string path_;
  Fd folder_;
};

}  // namespace pvebus::network
