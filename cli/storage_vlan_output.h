#pragma once

#include <ostream>

#include "cli/console.h"
#include "pvebus/storage/v1/storage_service.pb.h"

namespace pvebus::cli {

using VlanReportList = google::protobuf::RepeatedPtrField<storage::v1::StorageVlanReport>;
using VlanStatusList = google::protobuf::RepeatedPtrField<storage::v1::StorageVlanStatus>;

// A row per VLAN: how it is defined, and how the kernel differs.
void PrintVlans(const VlanStatusList& vlans, std::ostream& out);

// A row per VLAN: what was done, from what to what.
void PrintVlanReports(const VlanReportList& reports, std::ostream& out);
// What to do about those that failed, once per reason.
void PrintVlanAdvice(const VlanReportList& reports, std::ostream& out);

// 1 when one of them failed.
ExitCode ExitCodeOf(const VlanReportList& reports);

}  // namespace pvebus::cli
