#include "container-service/core/container_watch.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_format.h"

namespace pvebus::container {
namespace {

using Interfaces = std::map<unsigned, KnownInterface>;

Interfaces InterfacesOf(const NodeObservation& observation, uint32_t container_id) {
  Interfaces interfaces;
  const auto found = observation.devices.find(container_id);
  if (found == observation.devices.end()) return interfaces;
  for (const auto& [index, device] : found->second) interfaces[index] = {device.name, device.link_index, device.bridge};
  return interfaces;
}

std::string CgroupOf(const NodeObservation& observation, uint32_t container_id) {
  const auto found = observation.cgroups.find(container_id);
  return found == observation.cgroups.end() ? "" : found->second;
}

// The device that was made first tells a start from others: Proxmox VE makes all anew with each. Without one it is the cgroup.
std::string StartOf(const Interfaces& interfaces, const std::string& cgroup) {
  if (interfaces.empty()) return cgroup;
  int lowest = 0;
  for (const auto& [index, interface] : interfaces) {
    if (lowest == 0 || interface.link_index < lowest) lowest = interface.link_index;
  }
  return absl::StrFormat("v%d", lowest);
}

KnownContainer Started(Interfaces interfaces, std::string cgroup) {
  std::string start = StartOf(interfaces, cgroup);
  return {.start = std::move(start), .cgroup = std::move(cgroup), .interfaces = std::move(interfaces)};
}

bool ShareADevice(const Interfaces& before, const Interfaces& now) {
  return std::any_of(now.begin(), now.end(), [&](const auto& entry) {
    const auto found = before.find(entry.first);
    return found != before.end() && found->second.link_index == entry.second.link_index;
  });
}

// The container was not started anew since. Its only device may be another one (hotplug), so the cgroup is asked, too.
bool IsSameStart(const KnownContainer& known, const Interfaces& now, const std::string& cgroup) {
  if (!known.cgroup.empty() && !cgroup.empty()) return known.cgroup == cgroup;
  return ShareADevice(known.interfaces, now);
}

// Those of an earlier boot: the numbers that it gave are given again.
KnownContainers WithoutNumbers(KnownContainers known) {
  for (auto& [id, container] : known) {
    container.start = "earlier-" + container.start;
    container.cgroup = "earlier";
    for (auto& [index, interface] : container.interfaces) interface.link_index = 0;
  }
  return known;
}

}  // namespace

ContainerWatch::ContainerWatch(ContainerWatchOptions options, std::string boot_id, KnownContainers known, bool same_boot)
    : options_(options), boot_id_(std::move(boot_id)), known_(same_boot ? std::move(known) : WithoutNumbers(std::move(known))) {}

std::vector<WatchConclusion> ContainerWatch::Observe(const NodeObservation& observation) {
  std::set<uint32_t> all;
  for (const auto& [id, devices] : observation.devices) all.insert(id);
  for (const auto& [id, cgroup] : observation.cgroups) all.insert(id);
  for (const auto& [id, container] : known_) all.insert(id);
  looked_ = observation.time;
  std::vector<WatchConclusion> conclusions;
  for (const uint32_t id : all) {
    const Interfaces now = InterfacesOf(observation, id);
    if (IsKnown(id, now, CgroupOf(observation, id))) {
      pending_.erase(id);
    } else if (HasSettled(id, now, observation.time)) {
      conclusions.push_back(Conclude(id, now, observation));
    }
  }
  std::erase_if(pending_, [&](const auto& entry) { return !all.contains(entry.first); });
  return conclusions;
}

void ContainerWatch::Accept(const WatchConclusion& conclusion) {
  pending_.erase(conclusion.container_id);
  if (conclusion.known) {
    known_[conclusion.container_id] = *conclusion.known;
  } else {
    known_.erase(conclusion.container_id);
  }
}

void ContainerWatch::AcceptAll(const NodeObservation& observation) {
  pending_.clear();
  known_.clear();
  for (const auto& [id, devices] : observation.devices) {
    known_[id] = Started(InterfacesOf(observation, id), CgroupOf(observation, id));
  }
  for (const auto& [id, cgroup] : observation.cgroups) known_.try_emplace(id, Started({}, cgroup));
  looked_ = observation.time;
}

SteadyTime ContainerWatch::NextLook() const {
  SteadyTime next = SteadyTime::max();
  for (const auto& [id, pending] : pending_) next = std::min(next, pending.due);
  for (const auto& [id, container] : known_) {
    if (container.interfaces.empty()) next = std::min<SteadyTime>(next, looked_ + options_.look_without_devices);
  }
  return next;
}

bool ContainerWatch::IsKnown(uint32_t container_id, const Interfaces& now, const std::string& cgroup) const {
  const auto known = known_.find(container_id);
  if (known == known_.end()) return now.empty() && cgroup.empty();
  // One that has lost its last interface shows only by its cgroup whether it runs.
  return known->second.interfaces == now && (!now.empty() || known->second.cgroup == cgroup);
}

bool ContainerWatch::HasSettled(uint32_t container_id, const Interfaces& now, SteadyTime time) {
  const auto [entry, added] = pending_.try_emplace(container_id, Pending{now, time, time});
  Pending& pending = entry->second;
  const bool starts = !known_.contains(container_id);
  if (!added && pending.interfaces != now) {
    if (starts && pending.interfaces.empty()) pending.since = time;  // its devices only begin to come
    pending.interfaces = now;
    pending.changed = time;
  }
  pending.due = std::min<SteadyTime>(pending.changed + options_.quiet, pending.since + options_.at_most);
  if (starts && now.empty()) pending.due = pending.since + options_.without_devices;
  return time >= pending.due;
}

WatchConclusion ContainerWatch::Conclude(uint32_t container_id, const Interfaces& now, const NodeObservation& observation) const {
  WatchConclusion conclusion{.container_id = container_id};
  const auto known = known_.find(container_id);
  const std::string cgroup = CgroupOf(observation, container_id);
  const bool goes_on = known != known_.end() && IsSameStart(known->second, now, cgroup);
  if (goes_on) {
    conclusion.known = known->second;
    conclusion.known->interfaces = now;
    AddChanges(known->second.interfaces, now, observation.vnets, conclusion);
    return conclusion;
  }
  if (known != known_.end()) AddStop(known->second, conclusion);
  // A known one's next start without devices has yet to last.
  if (!now.empty() || known == known_.end()) {
    conclusion.known = Started(now, cgroup);
    AddStart(*conclusion.known, conclusion);
  }
  return conclusion;
}

void ContainerWatch::AddStart(const KnownContainer& container, WatchConclusion& conclusion) const {
  const uint32_t id = conclusion.container_id;
  conclusion.occurrences.push_back({{.kind = LifecycleKind::kStarted, .container_id = id},
                                    absl::StrFormat("container-started/%d/%s/%s", id, boot_id_, container.start)});
}

void ContainerWatch::AddStop(const KnownContainer& container, WatchConclusion& conclusion) const {
  const uint32_t id = conclusion.container_id;
  conclusion.occurrences.push_back({{.kind = LifecycleKind::kStopped, .container_id = id},
                                    absl::StrFormat("container-stopped/%d/%s/%s", id, boot_id_, container.start)});
}

void ContainerWatch::AddChanges(const Interfaces& before, const Interfaces& after, const Vnets& vnets,
                                WatchConclusion& conclusion) const {
  const KnownInterface none;
  std::set<unsigned> indexes;
  for (const auto& [index, interface] : before) indexes.insert(index);
  for (const auto& [index, interface] : after) indexes.insert(index);
  for (const unsigned index : indexes) {
    const auto old = before.find(index);
    const auto now = after.find(index);
    const KnownInterface& was = old == before.end() ? none : old->second;
    const KnownInterface& is = now == after.end() ? none : now->second;
    if (was == is) continue;
    if (was.bridge != is.bridge && vnets.contains(was.bridge)) AddChange(LifecycleKind::kVnetUnbound, index, was, is, conclusion);
    const LifecycleKind kind = old == before.end()  ? LifecycleKind::kInterfaceAdded
                               : now == after.end() ? LifecycleKind::kInterfaceRemoved
                                                    : LifecycleKind::kInterfaceUpdated;
    AddChange(kind, index, was, is, conclusion);
    if (was.bridge != is.bridge && vnets.contains(is.bridge)) AddChange(LifecycleKind::kVnetBound, index, was, is, conclusion);
  }
}

void ContainerWatch::AddChange(LifecycleKind kind, unsigned index, const KnownInterface& before, const KnownInterface& after,
                               WatchConclusion& conclusion) const {
  const uint32_t id = conclusion.container_id;
  const uint64_t change = ++conclusion.known->changes;
  Lifecycle what{.kind = kind,
                 .container_id = id,
                 .interface = absl::StrFormat("net%d", index),
                 .device = before.device.empty() ? after.device : before.device,
                 .before = before.bridge,
                 .after = after.bridge};
  // Should it be found again after a crash and be another one by then, it must not pass for this one.
  std::string request_id = absl::StrFormat("container-network/%d/%s/%s/%d/%s/net%d/%d/%s", id, boot_id_, conclusion.known->start,
                                           change, LifecycleWord(kind), index, after.link_index, after.bridge);
  conclusion.occurrences.push_back({std::move(what), std::move(request_id)});
}

}  // namespace pvebus::container
