#include "storage-service/core/vlan_report.h"

namespace pvebus::storage {

VlanReport ReportOn(const StorageVlan& vlan) { return {.storage_id = vlan.storage_id, .link = vlan.LinkName()}; }

void Fail(VlanReport& report, const absl::Status& status) {
  report.outcome = VlanReport::Outcome::kFailed;
  report.status = status;
  report.message = std::string(status.message());
  report.link_created = false;
}

}  // namespace pvebus::storage
