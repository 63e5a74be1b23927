#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/core/storage_vlan.h"

namespace pvebus::storage {

// Every error about the VLAN of a storage that a user can see; what the kernel refuses is in kernel_network.h.

// A bad field: INVALID_ARGUMENT; `field` is metadata too.
absl::Status StorageIdInvalid(std::string_view id);                           // STORAGE_ID_INVALID
absl::Status BaseInvalid(std::string_view base, std::string_view why);        // BASE_INVALID
absl::Status TagInvalid(uint32_t tag);                                        // TAG_INVALID
absl::Status LinkNameTooLong(const StorageVlan& vlan);                        // LINK_NAME_TOO_LONG
absl::Status AddressInvalid(const IpPrefix& address, std::string_view why);   // ADDRESS_INVALID
absl::Status MtuInvalid(const StorageVlan& vlan);                             // MTU_INVALID
absl::Status GatewayInvalid(const IpAddress& gateway, std::string_view why);  // GATEWAY_INVALID
absl::Status RouteInvalid(std::string_view subnet, std::string_view why);     // ROUTE_INVALID

// What is there already; both sides are named.
absl::Status DefinedOtherwise(const StorageVlan& existing, const StorageVlan& wanted);   // ALREADY_EXISTS VLAN_EXISTS
absl::Status LinkOfAnotherStorage(const StorageVlan& owner, const StorageVlan& wanted);  // ALREADY_EXISTS VLAN_EXISTS
absl::Status VlanConflict(const StorageVlan& vlan, std::string_view what);               // FAILED_PRECONDITION VLAN_CONFLICT
absl::Status VlanInUse(const StorageVlan& vlan, const StorageVlan& rider);               // FAILED_PRECONDITION VLAN_IN_USE
absl::Status MtuExceedsBase(const StorageVlan& vlan, uint32_t base_mtu);                 // FAILED_PRECONDITION MTU_EXCEEDS_BASE

absl::Status BaseMissing(const StorageVlan& vlan);                               // NOT_FOUND BASE_MISSING
absl::Status VlanNotFound(std::string_view storage_id);                          // NOT_FOUND VLAN_NOT_FOUND
absl::Status DeletionUnfinished(const StorageVlan& vlan);                        // FAILED_PRECONDITION VLAN_DELETING
absl::Status VlanContested(const StorageVlan& vlan, std::string_view findings);  // FAILED_PRECONDITION VLAN_CONTESTED
// ABORTED VLAN_NOT_IN_PLACE: the kernel took every step, and yet it is not so.
absl::Status VlanNotInPlace(const StorageVlan& vlan, std::string_view findings);

// The same error with more to say.
absl::Status WithMore(const absl::Status& status, std::string_view more);

}  // namespace pvebus::storage
