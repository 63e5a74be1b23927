#include "storage-service/rpc/storage_messages.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"
#include "sdk/client/proto_time.h"

namespace pvebus::storage {
namespace {

constexpr size_t kMaxTextBytes = 4096;
constexpr uint32_t kMaxTag = 4094;

std::string Clean(std::string_view text) { return CleanUtf8(text, kMaxTextBytes); }

v1::Reachability ToProto(Reachability reachability) {
  switch (reachability) {
    case Reachability::kUnknown:
      return v1::REACHABILITY_UNKNOWN;
    case Reachability::kReachable:
      return v1::REACHABILITY_REACHABLE;
    case Reachability::kRefused:
      return v1::REACHABILITY_REFUSED;
    case Reachability::kTimedOut:
      return v1::REACHABILITY_TIMED_OUT;
    case Reachability::kUnreachable:
      return v1::REACHABILITY_UNREACHABLE;
    case Reachability::kUnresolved:
      return v1::REACHABILITY_UNRESOLVED;
  }
  return v1::REACHABILITY_UNSPECIFIED;
}

// A link that is down is a part of why.
std::string MessageOf(const EndpointStatus& endpoint) {
  if (endpoint.link_message.empty() || endpoint.message.empty()) return endpoint.message + endpoint.link_message;
  return endpoint.message + "; " + endpoint.link_message;
}

v1::EndpointStatus ToProto(const EndpointStatus& endpoint) {
  v1::EndpointStatus message;
  message.set_host(Clean(endpoint.endpoint.host));
  message.set_port(endpoint.port);
  message.set_reachability(ToProto(endpoint.reachability));
  message.set_address(Clean(endpoint.address));
  if (endpoint.reachability == Reachability::kReachable) *message.mutable_latency() = client::ToProto(endpoint.latency);
  message.set_message(Clean(MessageOf(endpoint)));
  message.set_interface(Clean(endpoint.interface));
  if (endpoint.gateway) message.set_gateway(endpoint.gateway->ToString());
  message.set_vlan_tag(endpoint.tag);
  for (const std::string& link : endpoint.chain) message.add_chain(Clean(link));
  message.set_link_up(endpoint.link_up);
  return message;
}

void AddMeasurement(const Measurement& measurement, v1::Storage& message) {
  if (measurement.mounted) message.set_mounted(*measurement.mounted);
  message.set_mount_point(Clean(measurement.mount_point));
  if (measurement.logged_in) message.set_logged_in(*measurement.logged_in);
  if (measurement.check_time == SystemTime{}) return;
  *message.mutable_check_time() = client::ToProto(measurement.check_time);
  *message.mutable_check_duration() = client::ToProto(measurement.duration);
}

// Before the first check there are only the names of the servers.
void AddEndpoints(const StorageStatus& status, v1::Storage& message) {
  for (const EndpointStatus& endpoint : status.measurement.endpoints) *message.add_endpoints() = ToProto(endpoint);
  if (!status.measurement.endpoints.empty()) return;
  for (const Endpoint& endpoint : status.storage.endpoints) {
    *message.add_endpoints() = ToProto(EndpointStatus{.endpoint = endpoint, .port = endpoint.port.value_or(0)});
  }
}

bus::v1::ListenerError ErrorOf(const absl::Status& status) {
  bus::v1::ListenerError error;
  error.set_code(static_cast<int>(status.code()));
  error.set_reason(ErrorReason(status));
  const absl::string_view text = status.message();
  error.set_message(Clean({text.data(), text.size()}));
  for (const auto& [key, value] : ErrorMetadata(status)) (*error.mutable_metadata())[Clean(key)] = Clean(value);
  error.set_retryable(status.code() == absl::StatusCode::kUnavailable);
  return error;
}

absl::Status Invalid(const char* reason, const std::string& field, const std::string& message) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, {{"field", field}});
}

absl::Status AddressInvalid(const std::string& address) {
  return Invalid("ADDRESS_INVALID", "address",
                 absl::StrFormat("address is '%s'; it is the node's address with the length of its subnet, as 10.1.0.5/24",
                                 CleanUtf8(address, 64)));
}

absl::Status GatewayInvalid(const std::string& gateway) {
  return Invalid("GATEWAY_INVALID", "gateway",
                 absl::StrFormat("gateway is '%s'; it is an address, as 10.1.0.1", CleanUtf8(gateway, 64)));
}

absl::Status RouteInvalid(int index, const std::string& subnet) {
  return Invalid("ROUTE_INVALID", absl::StrFormat("routed_subnets[%d]", index),
                 absl::StrFormat("routed_subnets[%d] is '%s'; it is a subnet, as 10.2.0.0/16", index, CleanUtf8(subnet, 64)));
}

absl::Status TagInvalid(uint32_t tag) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TAG_INVALID", absl::StrFormat("tag is %u; it is 1..%u", tag, kMaxTag),
                   {{"field", "tag"}, {"limit", std::to_string(kMaxTag)}});
}

}  // namespace

v1::StorageState ToProto(StorageState state) {
  switch (state) {
    case StorageState::kUnknown:
      return v1::STORAGE_STATE_UNKNOWN;
    case StorageState::kActive:
      return v1::STORAGE_STATE_ACTIVE;
    case StorageState::kInactive:
      return v1::STORAGE_STATE_INACTIVE;
    case StorageState::kError:
      return v1::STORAGE_STATE_ERROR;
    case StorageState::kDisabled:
      return v1::STORAGE_STATE_DISABLED;
  }
  return v1::STORAGE_STATE_UNSPECIFIED;
}

bus::v1::HookState ToProto(VlanReport::Outcome outcome) {
  switch (outcome) {
    case VlanReport::Outcome::kChanged:
      return bus::v1::HOOK_STATE_CHANGED;
    case VlanReport::Outcome::kUnchanged:
      return bus::v1::HOOK_STATE_UNCHANGED;
    case VlanReport::Outcome::kFailed:
      return bus::v1::HOOK_STATE_FAILED;
    case VlanReport::Outcome::kDryRun:
      return bus::v1::HOOK_STATE_DRY_RUN;
  }
  return bus::v1::HOOK_STATE_UNSPECIFIED;
}

v1::Storage ToProto(const StorageStatus& status) {
  const Storage& storage = status.storage;
  v1::Storage message;
  message.set_storage_id(Clean(storage.storage_id));
  message.set_type(Clean(storage.type));
  message.set_network(storage.network);
  message.set_enabled(storage.enabled);
  message.set_shared(storage.shared);
  for (const std::string& content : storage.contents) message.add_contents(Clean(content));
  if (storage.nodes) {
    for (const std::string& node : *storage.nodes) message.add_nodes(Clean(node));
  }
  message.set_state(ToProto(status.state));
  message.set_reason(Clean(status.reason));
  AddEndpoints(status, message);
  AddMeasurement(status.measurement, message);
  return message;
}

v1::StorageConfigWarning ToProto(const StorageWarning& warning) {
  v1::StorageConfigWarning message;
  message.set_line(static_cast<uint32_t>(warning.line));
  message.set_storage_id(Clean(warning.storage_id));
  message.set_message(Clean(warning.message));
  message.set_section_skipped(warning.section_skipped);
  return message;
}

v1::StorageVlan ToProto(const StorageVlan& vlan) {
  v1::StorageVlan message;
  message.set_storage_id(vlan.storage_id);
  message.set_base(vlan.base);
  message.set_tag(vlan.tag);
  message.set_address(vlan.address.ToString());
  message.set_mtu(vlan.mtu);
  if (vlan.gateway) message.set_gateway(vlan.gateway->ToString());
  for (const IpPrefix& subnet : vlan.routed_subnets) message.add_routed_subnets(subnet.ToString());
  message.set_isolated(vlan.isolated);
  return message;
}

v1::StorageVlanReport ToProto(const VlanReport& report) {
  v1::StorageVlanReport message;
  message.set_storage_id(report.storage_id);
  message.set_link(report.link);
  message.set_state(ToProto(report.outcome));
  message.set_before(Clean(report.before));
  message.set_after(Clean(report.after));
  message.set_message(Clean(report.message));
  if (!report.status.ok()) *message.mutable_error() = ErrorOf(report.status);
  message.set_link_created(report.link_created);
  return message;
}

v1::StorageVlanStatus ToProto(const VlanStatus& status) {
  v1::StorageVlanStatus message;
  *message.mutable_vlan() = ToProto(status.record.vlan);
  message.set_link(status.record.vlan.LinkName());
  message.set_in_order(status.in_order);
  message.set_findings(Clean(status.findings));
  message.set_adopted(status.adopted);
  message.set_contested(status.contested);
  *message.mutable_create_time() = client::ToProto(status.record.create_time);
  return message;
}

absl::StatusOr<StorageVlan> ParseStorageVlan(const v1::StorageVlan& message) {
  StorageVlan vlan{
      .storage_id = message.storage_id(), .base = message.base(), .mtu = message.mtu(), .isolated = message.isolated()};
  if (message.tag() < 1 || message.tag() > kMaxTag) return TagInvalid(message.tag());
  vlan.tag = static_cast<uint16_t>(message.tag());
  const std::optional<IpPrefix> address = ParseIpPrefix(message.address());
  if (!address) return AddressInvalid(message.address());
  vlan.address = *address;
  if (!message.gateway().empty()) {
    vlan.gateway = ParseIpAddress(message.gateway());
    if (!vlan.gateway) return GatewayInvalid(message.gateway());
  }
  for (int i = 0; i < message.routed_subnets_size(); ++i) {
    const std::optional<IpPrefix> subnet = ParseIpPrefix(message.routed_subnets(i));
    if (!subnet) return RouteInvalid(i, message.routed_subnets(i));
    vlan.routed_subnets.push_back(*subnet);
  }
  std::sort(vlan.routed_subnets.begin(), vlan.routed_subnets.end());
  if (absl::Status status = CheckStorageVlan(vlan); !status.ok()) return status;
  return vlan;
}

}  // namespace pvebus::storage
