#pragma once

#include <ostream>
#include <vector>

#include "pvebus/bus/v1/registry_service.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::cli {

// One row per listener; ages are as of `now`.
void PrintListeners(const std::vector<bus::v1::Listener>& listeners, SystemTime now, std::ostream& out);

// Everything about one listener, a line per fact, and what befell it.
void PrintListener(const bus::v1::Listener& listener, SystemTime now, std::ostream& out);

}  // namespace pvebus::cli
