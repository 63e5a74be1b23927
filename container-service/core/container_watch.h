#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "container-service/core/container_devices.h"
#include "container-service/core/lifecycle.h"
#include "sdk/base/clock.h"
#include "sdk/base/sdn.h"

namespace pvebus::container {

// An interface of a running container as it was when it was told of last.
struct KnownInterface {
  std::string device;  // "veth101i0"
  int link_index = 0;
  std::string bridge;  // empty: none

  bool operator==(const KnownInterface&) const = default;
};

// A running container as it was when it was told of last. A value; it is kept over restarts.
struct KnownContainer {
  std::string start;                              // tells this start from the container's others in one boot of the node: "v23"
  std::string cgroup;                             // of this start; empty: not known
  uint64_t changes = 0;                           // of its network since the start
  std::map<unsigned, KnownInterface> interfaces;  // by N of netN

  bool operator==(const KnownContainer&) const = default;
};
using KnownContainers = std::map<uint32_t, KnownContainer>;

// The node at one moment.
struct NodeObservation {
  SteadyTime time{};
  std::map<uint32_t, ContainerDevices> devices;
  std::map<uint32_t, std::string> cgroups;  // of running containers: another text with each start
  Vnets vnets;
};

// Something that the bus must hear of. The same occurrence has the same request_id, also when it is found again after a crash,
// and a start the same that deploy/hookscripts/pvebus gives it.
struct Occurrence {
  Lifecycle what;
  std::string request_id;
};

// What was found out about one container.
struct WatchConclusion {
  uint32_t container_id = 0;
  std::vector<Occurrence> occurrences;  // in their order; may be none
  std::optional<KnownContainer> known;  // nothing: it does not run any more
};

struct ContainerWatchOptions {
  // How long the devices of a container must be unchanged: while it starts they come one after the other, and get into their
  // bridges.
  std::chrono::milliseconds quiet{500};
  // When somebody is told although they keep changing.
  std::chrono::milliseconds at_most{3000};
  // How long a container must run without a device until it counts as started: others have theirs long before.
  std::chrono::milliseconds without_devices{10'000};
  // How often to look while a container runs without a device: its stop shows in no link.
  std::chrono::milliseconds look_without_devices{5000};
};

// Finds out from the node's links what happened to containers: starts that no hookscript tells of, stops, interfaces that come,
// go and move. Owned by main. One thread.
class ContainerWatch {
 public:
  // `known`: as an earlier process left it. `same_boot`: it was the same boot of the node, so that the numbers of links mean the
  // same.
  ContainerWatch(ContainerWatchOptions options, std::string boot_id, KnownContainers known, bool same_boot);

  // Takes in how the node is now. What is concluded is concluded again by the next call, until it is accepted.
  std::vector<WatchConclusion> Observe(const NodeObservation& observation);
  // The conclusion is kept and its occurrences will be told.
  void Accept(const WatchConclusion& conclusion);
  // Takes what there is as known, telling nothing: of a node that is watched for the first time.
  void AcceptAll(const NodeObservation& observation);

  // When to observe again although no link changes; max: not needed.
  SteadyTime NextLook() const;
  const KnownContainers& known() const { return known_; }

 private:
  using Interfaces = std::map<unsigned, KnownInterface>;
  // A difference that has to last before it counts.
  struct Pending {
    Interfaces interfaces;
    SteadyTime since{};
    SteadyTime changed{};
    SteadyTime due{};  // when it counts, if it lasts
  };

  bool IsKnown(uint32_t container_id, const Interfaces& now, const std::string& cgroup) const;
  bool HasSettled(uint32_t container_id, const Interfaces& now, SteadyTime time);
  WatchConclusion Conclude(uint32_t container_id, const Interfaces& now, const NodeObservation& observation) const;
  void AddStart(const KnownContainer& container, WatchConclusion& conclusion) const;
  void AddStop(const KnownContainer& container, WatchConclusion& conclusion) const;
  void AddChanges(const Interfaces& before, const Interfaces& after, const Vnets& vnets, WatchConclusion& conclusion) const;
  void AddChange(LifecycleKind kind, unsigned index, const KnownInterface& before, const KnownInterface& after,
                 WatchConclusion& conclusion) const;

  const ContainerWatchOptions options_;
  const std::string boot_id_;
  KnownContainers known_;
  SteadyTime looked_{};
  std::map<uint32_t, Pending> pending_;
};

}  // namespace pvebus::container
