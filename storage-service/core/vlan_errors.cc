#include "storage-service/core/vlan_errors.h"

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "storage-service/core/repair_budget.h"
#include "storage-service/core/storage_values.h"

namespace pvebus::storage {
namespace {

absl::Status FieldInvalid(std::string_view reason, std::string_view field, std::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, {{"field", std::string(field)}});
}

absl::Status AboutVlan(absl::StatusCode code, std::string_view reason, const StorageVlan& vlan, std::string_view message) {
  return MakeError(code, reason, message, {{"storage_id", vlan.storage_id}, {"link", vlan.LinkName()}});
}

}  // namespace

absl::Status StorageIdInvalid(std::string_view id) {
  return FieldInvalid(
      "STORAGE_ID_INVALID", "storage_id",
      absl::StrFormat("storage_id: %s is no storage id: 2 to %d characters, a letter first, a letter or digit last, "
                      "between them - _ . too",
                      Quoted(id), kLongestStorageId));
}

absl::Status BaseInvalid(std::string_view base, std::string_view why) {
  return FieldInvalid("BASE_INVALID", "base", absl::StrFormat("base: %s is no name of an interface: %s", Quoted(base), why));
}

absl::Status TagInvalid(uint32_t tag) {
  return FieldInvalid("TAG_INVALID", "tag", absl::StrFormat("tag: %d is not from 1 to 4094", tag));
}

absl::Status LinkNameTooLong(const StorageVlan& vlan) {
  return FieldInvalid("LINK_NAME_TOO_LONG", "base",
                      absl::StrFormat("base: the link %s would have a name of %d bytes; the kernel takes %d", vlan.LinkName(),
                                      vlan.LinkName().size(), kLongestLinkName));
}

absl::Status AddressInvalid(const IpPrefix& address, std::string_view why) {
  return FieldInvalid("ADDRESS_INVALID", "address", absl::StrFormat("address: %s is %s", address.ToString(), why));
}

absl::Status MtuInvalid(const StorageVlan& vlan) {
  return FieldInvalid("MTU_INVALID", "mtu",
                      absl::StrFormat("mtu: %d is neither 0 (the base's) nor from %d to %d%s", vlan.mtu, LeastMtu(vlan), kMostMtu,
                                      vlan.address.address.v6 ? " (the address is IPv6)" : ""));
}

absl::Status GatewayInvalid(const IpAddress& gateway, std::string_view why) {
  return FieldInvalid("GATEWAY_INVALID", "gateway", absl::StrFormat("gateway: %s %s", gateway.ToString(), why));
}

absl::Status RouteInvalid(std::string_view subnet, std::string_view why) {
  return FieldInvalid("ROUTE_INVALID", "routed_subnets", absl::StrFormat("routed_subnets: %s %s", subnet, why));
}

absl::Status DefinedOtherwise(const StorageVlan& existing, const StorageVlan& wanted) {
  return AboutVlan(absl::StatusCode::kAlreadyExists, "VLAN_EXISTS", existing,
                   absl::StrFormat("storage %s has the VLAN %s, asked for was %s; delete the first", existing.storage_id,
                                   existing.ToString(), wanted.ToString()));
}

absl::Status LinkOfAnotherStorage(const StorageVlan& owner, const StorageVlan& wanted) {
  return AboutVlan(absl::StatusCode::kAlreadyExists, "VLAN_EXISTS", owner,
                   absl::StrFormat("%s is the VLAN of storage %s (%s), asked for was one of storage %s (%s)", owner.LinkName(),
                                   owner.storage_id, owner.ToString(), wanted.storage_id, wanted.ToString()));
}

absl::Status VlanConflict(const StorageVlan& vlan, std::string_view what) {
  return AboutVlan(absl::StatusCode::kFailedPrecondition, "VLAN_CONFLICT", vlan, what);
}

absl::Status VlanInUse(const StorageVlan& vlan, const StorageVlan& rider) {
  return AboutVlan(absl::StatusCode::kFailedPrecondition, "VLAN_IN_USE", vlan,
                   absl::StrFormat("%s carries the VLAN of storage %s (%s), which would go with it: delete that one first",
                                   vlan.LinkName(), rider.storage_id, rider.ToString()));
}

absl::Status MtuExceedsBase(const StorageVlan& vlan, uint32_t base_mtu) {
  return AboutVlan(absl::StatusCode::kFailedPrecondition, "MTU_EXCEEDS_BASE", vlan,
                   absl::StrFormat("%s is to have MTU %d, %s has %d", vlan.LinkName(), vlan.mtu, vlan.base, base_mtu));
}

absl::Status BaseMissing(const StorageVlan& vlan) {
  return AboutVlan(absl::StatusCode::kNotFound, "BASE_MISSING", vlan,
                   absl::StrFormat("there is no interface %s for %s to ride on", vlan.base, vlan.LinkName()));
}

absl::Status VlanNotFound(std::string_view storage_id) {
  return MakeError(absl::StatusCode::kNotFound, "VLAN_NOT_FOUND",
                   absl::StrFormat("no VLAN is defined for storage %s", Quoted(storage_id)));
}

absl::Status DeletionUnfinished(const StorageVlan& vlan) {
  return AboutVlan(absl::StatusCode::kFailedPrecondition, "VLAN_DELETING", vlan,
                   absl::StrFormat("%s of storage %s is not yet taken away; delete it again", vlan.LinkName(), vlan.storage_id));
}

absl::Status VlanContested(const StorageVlan& vlan, std::string_view findings) {
  return AboutVlan(
      absl::StatusCode::kFailedPrecondition, "VLAN_CONTESTED", vlan,
      absl::StrFormat("%s was put right %d times within %d minutes and differs again (%s): somebody else keeps changing "
                      "it; left alone until the next reconcile or NetworkApplied",
                      vlan.LinkName(), RepairBudget::kMostRepairs, RepairBudget::kWithin.count(), findings));
}

absl::Status VlanNotInPlace(const StorageVlan& vlan, std::string_view findings) {
  return AboutVlan(absl::StatusCode::kAborted, "VLAN_NOT_IN_PLACE", vlan,
                   absl::StrFormat("the kernel took every step, yet reading back shows: %s; somebody else may be changing %s",
                                   findings, vlan.LinkName()));
}

absl::Status WithMore(const absl::Status& status, std::string_view more) {
  return MakeError(status.code(), ErrorReason(status), absl::StrFormat("%s; %s", status.message(), more), ErrorMetadata(status));
}

}  // namespace pvebus::storage
