#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pvebus/storage/v1/storage_service.pb.h"
#include "storage-service/core/storage_config.h"
#include "storage-service/core/storage_state.h"
#include "storage-service/core/storage_vlan.h"
#include "storage-service/core/storage_vlan_manager.h"

// core's values as messages of the contract. storage.cfg may have any bytes: what is no UTF-8 has '?' in its place. Pure; any
// thread.
namespace pvebus::storage {

v1::StorageState ToProto(StorageState state);
bus::v1::HookState ToProto(VlanReport::Outcome outcome);
v1::Storage ToProto(const StorageStatus& status);
v1::StorageConfigWarning ToProto(const StorageWarning& warning);
v1::StorageVlan ToProto(const StorageVlan& vlan);
v1::StorageVlanReport ToProto(const VlanReport& report);
v1::StorageVlanStatus ToProto(const VlanStatus& status);

// The VLAN that an operator asks for; errors as CheckStorageVlan's, also for what is no address at all.
absl::StatusOr<StorageVlan> ParseStorageVlan(const v1::StorageVlan& message);

}  // namespace pvebus::storage
