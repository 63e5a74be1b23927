#include "storage-service/core/storage_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/utf8.h"

namespace pvebus::storage {
namespace {

constexpr std::array<std::pair<StorageState, std::string_view>, 5> kStates = {{{StorageState::kUnknown, "unknown"},
                                                                               {StorageState::kActive, "active"},
                                                                               {StorageState::kInactive, "inactive"},
                                                                               {StorageState::kError, "error"},
                                                                               {StorageState::kDisabled, "disabled"}}};
constexpr size_t kMostNamed = 3;
constexpr size_t kLongestReason = 1000;

struct Verdict {
  StorageState state = StorageState::kUnknown;
  std::string reason;
};

bool IsMounted(std::string_view type) { return type == "nfs" || type == "cifs" || type == "cephfs"; }
bool IsReachable(const EndpointStatus& endpoint) { return endpoint.reachability == Reachability::kReachable; }

std::string AddressOf(const EndpointStatus& endpoint) {
  const bool port_known = endpoint.endpoint.port.has_value() || endpoint.port == 0;
  return HostAndPortText(endpoint.endpoint.host, port_known ? endpoint.endpoint.port : std::optional(endpoint.port));
}

std::string WhyUnreachable(const EndpointStatus& endpoint) {
  const std::string_view why =
      endpoint.message.empty() ? ReachabilityName(endpoint.reachability) : std::string_view(endpoint.message);
  std::string text = absl::StrFormat("%s %s", AddressOf(endpoint), why);
  if (!endpoint.interface.empty() && !endpoint.link_up && !endpoint.link_message.empty()) {
    absl::StrAppendFormat(&text, " (%s)", endpoint.link_message);
  }
  return text;
}

std::string WhyUnreachable(const std::vector<EndpointStatus>& endpoints) {
  std::vector<std::string> reasons;
  size_t left_out = 0;
  for (const EndpointStatus& endpoint : endpoints) {
    if (IsReachable(endpoint)) continue;
    if (reasons.size() < kMostNamed) {
      reasons.push_back(WhyUnreachable(endpoint));
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) reasons.push_back(absl::StrFormat("%d more", left_out));
  return absl::StrJoin(reasons, ", ");
}

// "nas:2049 answers", "2 of 3 monitors answer: c:6789 timed out after 3 s".
std::string WhoAnswers(const Storage& storage, const std::vector<EndpointStatus>& endpoints) {
  if (endpoints.size() == 1) return absl::StrFormat("%s answers", AddressOf(endpoints.front()));
  const auto count = std::count_if(endpoints.begin(), endpoints.end(), IsReachable);
  const bool monitors = storage.type == "rbd" || storage.type == "cephfs";
  const std::string of_all = absl::StrFormat("%d of %d %s answer", count, endpoints.size(), monitors ? "monitors" : "servers");
  const std::string others = WhyUnreachable(endpoints);
  return others.empty() ? of_all : absl::StrFormat("%s: %s", of_all, others);
}

Verdict JudgeMount(const Measurement& measurement, const std::string& before) {
  const std::string prefix = before.empty() ? "" : before + ", ";
  if (!measurement.mounted) {
    return {StorageState::kUnknown, prefix + "it is not known whether it is mounted at " + measurement.mount_point};
  }
  if (*measurement.mounted) return {StorageState::kActive, prefix + "mounted at " + measurement.mount_point};
  return {StorageState::kInactive, prefix + "not mounted at " + measurement.mount_point};
}

Verdict JudgeSession(const Measurement& measurement, const std::string& before) {
  if (!measurement.logged_in) return {StorageState::kUnknown, before + ", it is not known whether the node is logged in"};
  if (*measurement.logged_in) return {StorageState::kActive, before + ", logged in"};
  return {StorageState::kInactive, before + ", not logged in to its target"};
}

Verdict JudgeLocal(const Storage& storage, const Measurement& measurement) {
  if (measurement.mounted) return JudgeMount(measurement, "");
  return {StorageState::kUnknown,
          absl::StrFormat("a storage of type %s has no server to ask, and it is not examined", storage.type)};
}

Verdict JudgeWithoutEndpoints(const Storage& storage, const Measurement& measurement) {
  if (storage.type == "cephfs") return JudgeMount(measurement, "its monitors are the node's own Ceph cluster's");
  if (storage.type == "rbd")
    return {StorageState::kUnknown, "its monitors are the node's own Ceph cluster's, which is not asked"};
  return {StorageState::kUnknown, "storage.cfg names no server and port that could be asked"};
}

Verdict JudgeUnanswered(const std::vector<EndpointStatus>& endpoints) {
  const bool untried = std::any_of(endpoints.begin(), endpoints.end(),
                                   [](const EndpointStatus& e) { return e.reachability == Reachability::kUnknown; });
  return {untried ? StorageState::kUnknown : StorageState::kError, WhyUnreachable(endpoints)};
}

Verdict Judge(const Storage& storage, std::string_view node, const Measurement& measurement) {
  if (std::string why = WhyDisabled(storage, node); !why.empty()) return {StorageState::kDisabled, why};
  if (!measurement.error.empty()) return {StorageState::kUnknown, measurement.error};
  if (!storage.network) return JudgeLocal(storage, measurement);
  const std::vector<EndpointStatus>& endpoints = measurement.endpoints;
  if (endpoints.empty()) return JudgeWithoutEndpoints(storage, measurement);
  if (std::none_of(endpoints.begin(), endpoints.end(), IsReachable)) return JudgeUnanswered(endpoints);
  const std::string answers = WhoAnswers(storage, endpoints);
  if (IsMounted(storage.type)) return JudgeMount(measurement, answers);
  if (storage.type == "iscsi") return JudgeSession(measurement, answers);
  return {StorageState::kActive, answers};
}

}  // namespace

std::string_view StorageStateName(StorageState state) {
  for (const auto& [known, name] : kStates) {
    if (known == state) return name;
  }
  return "unknown";
}

std::optional<StorageState> StorageStateOfName(std::string_view name) {
  for (const auto& [state, known] : kStates) {
    if (known == name) return state;
  }
  return std::nullopt;
}

std::string_view ReachabilityName(Reachability reachability) {
  switch (reachability) {
    case Reachability::kUnknown:
      return "unknown";
    case Reachability::kReachable:
      return "reachable";
    case Reachability::kRefused:
      return "refused";
    case Reachability::kTimedOut:
      return "timed out";
    case Reachability::kUnreachable:
      return "unreachable";
    case Reachability::kUnresolved:
      return "unresolved";
  }
  return "unknown";
}

std::string HostAndPortText(std::string_view host, std::optional<uint16_t> port) {
  if (!port) return std::string(host);
  if (host.find(':') != std::string_view::npos) return absl::StrFormat("[%s]:%d", host, *port);
  return absl::StrFormat("%s:%d", host, *port);
}

std::string WhyDisabled(const Storage& storage, std::string_view node) {
  if (!storage.enabled) return "disabled in storage.cfg";
  if (!storage.nodes) return "";
  if (std::find(storage.nodes->begin(), storage.nodes->end(), node) != storage.nodes->end()) return "";
  return absl::StrFormat("not for node %s, only for %s", node, absl::StrJoin(*storage.nodes, ", "));
}

StorageStatus JudgeStorage(const Storage& storage, std::string_view node, Measurement measurement) {
  Verdict verdict = Judge(storage, node, measurement);
  return {storage, verdict.state, CleanUtf8(verdict.reason, kLongestReason), std::move(measurement)};
}

}  // namespace pvebus::storage
