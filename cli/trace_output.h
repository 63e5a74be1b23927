#pragma once

#include <ostream>
#include <string>

#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::cli {

// The tree for eyes: below each event its listeners, below these their hooks, then the events it led to. `asked_id` is marked.
void PrintTrace(const bus::v1::TraceEventResponse& trace, const std::string& asked_id, std::ostream& out);

}  // namespace pvebus::cli
