#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/clock.h"
#include "sdk/base/ip_address.h"
#include "storage-service/core/storage_config.h"

namespace pvebus::storage {

enum class StorageState {
  kUnknown,   // not measured yet, or it cannot be
  kActive,    // enabled here, its server answers, and it is mounted or logged in where its type asks for it
  kInactive,  // its server answers, but it is not mounted or not logged in
  kError,     // no route, no link, or its server does not answer
  kDisabled,  // disabled, or not for this node
};
// "unknown", "active", ...
std::string_view StorageStateName(StorageState state);
std::optional<StorageState> StorageStateOfName(std::string_view name);

// How an attempt to reach an endpoint ended.
enum class Reachability { kUnknown, kReachable, kRefused, kTimedOut, kUnreachable, kUnresolved };
// "unknown", "reachable", "refused", "timed out", "unreachable", "unresolved".
std::string_view ReachabilityName(Reachability reachability);

// What was measured of one endpoint. Of a name with several addresses the best of them.
struct EndpointStatus {
  Endpoint endpoint;
  Reachability reachability = Reachability::kUnknown;
  std::string address;  // the one that was tried; empty when the name was not resolved
  uint16_t port = 0;    // the one that was tried
  Duration latency{};   // until it answered
  std::string message;  // why it is not reachable, as what its address is followed by: "refused the connection"
  // The way to it.
  std::string interface;  // where packets leave; empty: no route
  std::optional<IpAddress> gateway;
  uint16_t tag = 0;                // of the VLAN that carries it; 0: none
  std::vector<std::string> chain;  // interface and all that it stands on: vmbr0.100, vmbr0, bond0, eno1, eno2
  bool link_up = false;            // interface and, of what it stands on, enough to carry packets
  std::string link_message;        // which link is down
};

// What was measured of one storage.
struct Measurement {
  std::vector<EndpointStatus> endpoints;  // in the order of the storage's
  std::optional<bool> mounted;            // none: its type is not mounted
  std::string mount_point;
  std::optional<bool> logged_in;  // iSCSI; none: its type has no session
  std::string error;              // why it could not be measured
  SystemTime check_time{};
  Duration duration{};
};

// One storage at its last check.
struct StorageStatus {
  Storage storage;
  StorageState state = StorageState::kUnknown;
  std::string reason;  // for eyes
  Measurement measurement;
};

// Pure: what the measurement of a storage means on `node`.
StorageStatus JudgeStorage(const Storage& storage, std::string_view node, Measurement measurement);
// Why the storage is not for this node; empty when it is.
std::string WhyDisabled(const Storage& storage, std::string_view node);

// "nas:2049", "[fd00::1]:3260", without a port only the host.
std::string HostAndPortText(std::string_view host, std::optional<uint16_t> port);

// How storages are measured. Any thread; blocks for the probe limit plus a moment, for all of them together, and ends early when
// `stop` is requested.
class StorageProbe {
 public:
  virtual ~StorageProbe() = default;
  // One measurement per storage, in order.
  virtual std::vector<Measurement> Measure(const std::vector<Storage>& storages, std::stop_token stop) = 0;
};

}  // namespace pvebus::storage
