#include "storage-service/core/network_change.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pvebus::storage {
namespace {

std::string ChainText(const EndpointStatus& endpoint) { return absl::StrJoin(endpoint.chain, " > "); }

// vmbr0.100 of vmbr0.
bool IsVlanOf(std::string_view name, std::string_view base) {
  return name.size() > base.size() && name.starts_with(base) && name[base.size()] == '.';
}

// A port or slave. The parent of a VLAN that changed is none: it carries all else as before.
bool BelongsTo(std::string_view link, const InterfaceChange& change) {
  return !IsVlanOf(change.target, link) && std::find(change.related.begin(), change.related.end(), link) != change.related.end();
}

// The change touches the link of this name, which `why` says; nothing when it does not.
std::optional<std::string> WhyTouched(const std::string& link, const InterfaceChange& change) {
  if (link == change.target) return absl::StrFormat("%s changed", link);
  if (IsVlanOf(link, change.target)) return absl::StrFormat("%s changed, of which %s is a VLAN", change.target, link);
  if (BelongsTo(link, change)) return absl::StrFormat("%s changed, to which %s belongs", change.target, link);
  return std::nullopt;
}

std::optional<std::string> WhyChainTouched(const EndpointStatus& endpoint, const InterfaceChange& change) {
  for (const std::string& link : endpoint.chain) {
    if (const auto why = WhyTouched(link, change)) return absl::StrFormat("rides on %s: %s", ChainText(endpoint), *why);
  }
  return std::nullopt;
}

std::optional<std::string> WhyAddressTouched(const EndpointStatus& endpoint, const InterfaceChange& change) {
  const auto address = ParseIpAddress(endpoint.address);
  if (!address) return std::nullopt;
  for (const IpPrefix& prefix : change.addresses) {
    if (prefix.Contains(*address)) {
      return absl::StrFormat("%s changed, whose subnet %s holds %s", change.target, prefix.Subnet().ToString(), endpoint.address);
    }
  }
  return std::nullopt;
}

std::optional<std::string> WhyGatewayTouched(const EndpointStatus& endpoint, const InterfaceChange& change) {
  if (!change.gateway || !endpoint.gateway) return std::nullopt;
  return absl::StrFormat("%s is reached through gateway %s, and %s changed, which has or had a gateway", endpoint.address,
                         endpoint.gateway->ToString(), change.target);
}

std::optional<std::string> WhyWayUnknown(const EndpointStatus& endpoint) {
  if (!endpoint.interface.empty()) return std::nullopt;
  std::string why = endpoint.address.empty() ? "it was not resolved" : endpoint.link_message;
  if (why.empty()) why = "there was no route to it";
  return absl::StrFormat("the way to %s is not known: %s", endpoint.endpoint.host, why);
}

std::optional<std::string> WhyTouched(const EndpointStatus& endpoint, const std::vector<InterfaceChange>& changes) {
  for (const InterfaceChange& change : changes) {
    for (const auto judge : {WhyChainTouched, WhyAddressTouched, WhyGatewayTouched}) {
      if (auto why = judge(endpoint, change)) return why;
    }
  }
  return std::nullopt;
}

std::string WhyUntouched(const std::vector<EndpointStatus>& endpoints) {
  std::vector<std::string> ways;
  for (const EndpointStatus& endpoint : endpoints) {
    std::string way = ChainText(endpoint);
    if (std::find(ways.begin(), ways.end(), way) == ways.end()) ways.push_back(std::move(way));
  }
  return absl::StrFormat("its way (%s) did not change", absl::StrJoin(ways, ", "));
}

}  // namespace

Impact ImpactOn(const StorageStatus& status, const std::vector<InterfaceChange>& changes) {
  const std::vector<EndpointStatus>& endpoints = status.measurement.endpoints;
  if (status.state == StorageState::kDisabled) return {false, status.reason.empty() ? "disabled" : status.reason};
  if (!status.storage.network) return {false, "it is local"};
  if (changes.empty()) return {false, "no interface changed"};
  if (status.storage.endpoints.empty()) return {true, "its way is not known: storage.cfg names no server of it"};
  if (endpoints.empty()) return {true, "its way is not known: it was not measured yet"};
  for (const EndpointStatus& endpoint : endpoints) {
    if (auto why = WhyWayUnknown(endpoint)) return {true, std::move(*why)};
  }
  for (const EndpointStatus& endpoint : endpoints) {
    if (auto why = WhyTouched(endpoint, changes)) return {true, std::move(*why)};
  }
  return {false, WhyUntouched(endpoints)};
}

}  // namespace pvebus::storage
