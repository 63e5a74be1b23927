#pragma once

#include <string>
#include <vector>

#include "pvebus/bus/v1/bus_service.pb.h"

namespace pvebus::testing {

// The rows of one hook, its own first.
inline std::vector<bus::v1::HookResult> HookRowsOf(const bus::v1::ListenerResult& listener, const std::string& hook) {
  std::vector<bus::v1::HookResult> rows;
  for (const auto& row : listener.hook_results()) {
    if (row.hook() == hook) rows.push_back(row);
  }
  return rows;
}

}  // namespace pvebus::testing
