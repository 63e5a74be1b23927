#include "storage-service/host/probe/measured_storages.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "storage-service/core/way.h"
#include "storage-service/host/probe/iscsi_sessions.h"
#include "storage-service/host/probe/nfs_greeting.h"
#include "storage-service/host/probe/storage_mount.h"

namespace pvebus::storage {
namespace {

std::vector<ProbeTarget> TargetsOf(const std::vector<Storage>& storages) {
  std::vector<ProbeTarget> targets;
  for (const Storage& storage : storages) {
    for (const Endpoint& endpoint : storage.endpoints) {
      targets.push_back({endpoint, storage.type == "nfs" ? NfsGreeting(storage) : Greeting{}});
    }
  }
  return targets;
}

}  // namespace

MeasuredStorages::MeasuredStorages(const TcpProber& prober, KernelNetwork& network, Paths paths, const Clock& clock)
    : prober_(prober), network_(network), paths_(std::move(paths)), clock_(clock) {}

std::vector<Measurement> MeasuredStorages::Measure(const std::vector<Storage>& storages, std::stop_token stop) {
  const SteadyTime begun = clock_.SteadyNow();
  const SystemTime check_time = clock_.SystemNow();
  std::vector<ProbeResult> results = prober_.Probe(TargetsOf(storages), stop);
  // After the servers, so that it is the node that they answered.
  const Node node = ReadNode();
  std::vector<Measurement> measurements;
  auto result = results.begin();
  for (const Storage& storage : storages) {
    Measurement measurement{.check_time = check_time};
    for (const Endpoint& endpoint : storage.endpoints) {
      measurement.endpoints.push_back(StatusOf(endpoint, std::move(*result++), node));
    }
    AddMount(storage, node, measurement);
    AddSession(storage, node, measurement);
    measurements.push_back(std::move(measurement));
  }
  for (Measurement& measurement : measurements) measurement.duration = clock_.SteadyNow() - begun;
  return measurements;
}

MeasuredStorages::Node MeasuredStorages::ReadNode() {
  return {network_.Read(), ReadMounts(paths_.mount_info), ReadIscsiSessions(paths_.sys)};
}

void MeasuredStorages::AddMount(const Storage& storage, const Node& node, Measurement& measurement) const {
  measurement.mount_point = MountPointOf(storage);
  if (measurement.mount_point.empty()) return;
  if (!node.mounts.ok()) {
    measurement.error = absl::StrFormat("whether it is mounted is not known: %s", node.mounts.status().message());
    return;
  }
  measurement.mounted = IsMounted(storage, *node.mounts);
}

void MeasuredStorages::AddSession(const Storage& storage, const Node& node, Measurement& measurement) const {
  if (storage.type != "iscsi") return;
  if (!node.sessions.ok()) {
    measurement.error = absl::StrFormat("whether the node is logged in is not known: %s", node.sessions.status().message());
    return;
  }
  const auto target = storage.properties.find("target");
  measurement.logged_in = target != storage.properties.end() && node.sessions->contains(target->second);
}

EndpointStatus MeasuredStorages::StatusOf(const Endpoint& endpoint, ProbeResult result, const Node& node) {
  EndpointStatus status{.endpoint = endpoint,
                        .reachability = result.reachability,
                        .address = std::move(result.address),
                        .port = result.port,
                        .latency = result.latency,
                        .message = std::move(result.message)};
  AddWay(node, status);
  return status;
}

void MeasuredStorages::AddWay(const Node& node, EndpointStatus& status) {
  const auto address = ParseIpAddress(status.address);
  if (!address) return;
  if (!node.network.ok()) {
    status.link_message = absl::StrFormat("the links are not known: %s", node.network.status().message());
    return;
  }
  const auto route = network_.Lookup(*address);
  if (!route.ok()) {
    status.link_message = absl::StrFormat("its route is not known: %s", route.status().message());
    return;
  }
  if (!route->has_value()) {
    status.link_message = absl::StrFormat("there is no route to %s", status.address);
    return;
  }
  Way way = WayOf(*node.network, **route);
  status.interface = std::move(way.interface);
  status.gateway = way.gateway;
  status.tag = way.tag;
  status.chain = std::move(way.chain);
  status.link_up = way.link_up;
  status.link_message = std::move(way.link_message);
}

}  // namespace pvebus::storage
