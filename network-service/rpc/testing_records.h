#pragma once

#include <string>
#include <utility>

#include "network-service/core/apply.h"

namespace pvebus::network {

// A committed apply from one configuration to another, each as a file says it.
inline ApplyRecord RecordOf(std::string apply_id, std::string before, std::string after) {
  ApplyRecord record;
  record.apply_id = std::move(apply_id);
  record.state = ApplyState::kCommitted;
  record.old_interfaces = std::move(before);
  record.new_interfaces = std::move(after);
  return record;
}

}  // namespace pvebus::network
