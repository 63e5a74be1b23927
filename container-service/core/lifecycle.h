#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pvebus::container {

// What can happen to a container's network, in the words of the original project.
enum class LifecycleKind {
  kInterfaceAdded,
  kInterfaceRemoved,
  kInterfaceUpdated,  // it was moved from one bridge to another
  kVnetBound,
  kVnetUnbound,
  kStarted,
  kStopped,
  kMigrated,
};

// One thing that happened. A value.
struct Lifecycle {
  LifecycleKind kind = LifecycleKind::kStarted;
  uint32_t container_id = 0;
  std::string interface;  // "net0"; empty where it is about the whole container
  std::string device;     // of the interface on the host: "veth101i0"
  std::string before;     // the bridge or vnet that it was in; empty: none
  std::string after;      // the bridge or vnet that it is in; empty: none

  bool operator==(const Lifecycle&) const = default;
};

// "ContainerStarted", as the original project names it.
std::string_view LifecycleName(LifecycleKind kind);
// "container_started", as events name it.
std::string_view LifecycleWord(LifecycleKind kind);
std::optional<LifecycleKind> LifecycleOfWord(std::string_view word);
// Whether it is about one interface.
bool IsAboutInterface(LifecycleKind kind);
// Whether the container should have its network afterwards, as its file says.
bool HasNetworkAfter(LifecycleKind kind);

}  // namespace pvebus::container
