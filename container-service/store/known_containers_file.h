#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "container-service/core/container_watch.h"

namespace pvebus::container {

// What was known of running containers, over restarts: one small JSON file that is replaced as a whole. Owned by main. One
// thread.
class KnownContainersFile {
 public:
  explicit KnownContainersFile(std::string path) : path_(std::move(path)) {}

  struct Content {
    std::string boot_id;  // of the node's boot that the numbers of links are from
    KnownContainers containers;
  };
  // Nothing when there is no file yet. DATA_LOSS CONTAINERS_FILE_DAMAGED, FAILED_PRECONDITION CONTAINERS_FILE_UNREADABLE.
  absl::StatusOr<std::optional<Content>> Load() const;
  // Keeps a damaged file beside, under its name with ".damaged".
  absl::Status SetAside() const;
  // On the disk when it returns. RESOURCE_EXHAUSTED or INTERNAL CONTAINERS_FILE_UNWRITABLE; the file is then what it was.
  absl::Status Save(const Content& content) const;

 private:
  const std::string path_;
};

}  // namespace pvebus::container
