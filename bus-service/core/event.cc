#include "bus-service/core/event.h"

namespace pvebus::bus {

const char* EventTypeName(EventType type) {
  switch (type) {
    case EventType::kNetworkApplied:
      return "network_applied";
    case EventType::kContainerStarted:
      return "container_started";
    case EventType::kStorageVlanCreated:
      return "storage_vlan_created";
    case EventType::kMigrationPhaseChanged:
      return "migration_phase_changed";
    case EventType::kCustom:
      return "custom";
    case EventType::kUnspecified:
      break;
  }
  return "unspecified";
}

}  // namespace pvebus::bus
