#pragma once

#include <string>

#include "absl/status/status.h"
#include "storage-service/core/storage_vlan.h"

namespace pvebus::storage {

// What was done about one VLAN.
struct VlanReport {
  enum class Outcome { kChanged, kUnchanged, kFailed, kDryRun };
  std::string storage_id;
  std::string link;
  Outcome outcome = Outcome::kUnchanged;
  std::string before;   // for eyes: "missing", "mtu 1500, down, no address", as the plan saw it
  std::string after;    // as read back; of a dry run as it would be
  std::string message;  // what was done ("created vmbr0.100, ..."), would be done, or why it failed
  absl::Status status;  // of kFailed: why
  bool link_created = false;
  bool touched = false;  // something was changed, even if it was taken back
};

VlanReport ReportOn(const StorageVlan& vlan);
// It failed, and nothing of it is there.
void Fail(VlanReport& report, const absl::Status& status);

}  // namespace pvebus::storage
