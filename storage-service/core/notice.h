#pragma once

#include <cstdint>
#include <string>

#include "sdk/base/clock.h"
#include "storage-service/core/storage_state.h"

namespace pvebus::storage {

// Something that the bus must hear of, kept until it has: so that each is published once, whatever is killed when. A value.
struct Notice {
  enum class Kind {
    kVlanCreated,    // StorageVlanCreated
    kVlanDeleted,    // Custom storage_vlan_deleted
    kStatusChanged,  // Custom storage_status_changed
  };
  int64_t number = 0;      // their order; set by the store
  std::string request_id;  // the same for every attempt to publish it; set by the store
  Kind kind = Kind::kVlanCreated;
  std::string storage_id;
  std::string parent_event_id;  // the event that caused it; empty: none
  SystemTime time{};
  // Of kVlanDeleted: the link. Of kStatusChanged: before, after, reason.
  std::string link;
  StorageState before = StorageState::kUnknown;
  StorageState after = StorageState::kUnknown;
  std::string reason;
};

}  // namespace pvebus::storage
