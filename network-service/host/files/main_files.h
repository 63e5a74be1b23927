#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/network_node.h"

namespace pvebus::network {

// The main file of the node's network configuration, what may take its place, and what it was: the files of one folder. Keeps
// nothing itself, so that a process can go on with what another one began. What the functions of these names promise in
// NetworkNode. One thread at a time, but Read and RequireCandidate any thread.
class MainFiles {
 public:
  explicit MainFiles(std::string folder) : folder_(std::move(folder)) {}

  std::string AppliedPath() const;
  std::string PathOf(Candidate candidate) const;

  absl::StatusOr<NodeFiles> Read() const;
  // FAILED_PRECONDITION CONFIGURATION_UNREADABLE: there is none.
  absl::Status RequireCandidate(Candidate candidate) const;

  absl::Status PutRevertCandidate(const std::string& bytes) const;
  absl::Status KeepOld() const;
  absl::Status Install(Candidate candidate) const;
  // What cannot be kept is lost, and no error: the old file comes first.
  absl::Status Restore(const std::optional<std::string>& old_file, NetworkNode::Keep keep) const;
  absl::Status DropOld() const;

 private:
  const std::string folder_;
};

}  // namespace pvebus::network
