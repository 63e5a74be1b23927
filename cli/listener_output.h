#pragma once

#include <ostream>
#include <vector>

#include "pvebus/bus/v1/registry_service.pb.h"

namespace pvebus::cli {

// One row per listener.
void PrintListeners(const std::vector<bus::v1::Listener>& listeners, std::ostream& out);

// Everything about one listener, a line per fact.
void PrintListener(const bus::v1::Listener& listener, std::ostream& out);

}  // namespace pvebus::cli
