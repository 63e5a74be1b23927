#pragma once

#include <string>

#include "pvebus/event/v1/event.pb.h"

namespace pvebus::cli {

// How events are written as they come.
enum class EventLayout { kLine, kJson, kOriginal };

// One event in one line for eyes: time, number, kind, what happened, and what else its envelope says.
std::string FormatEvent(const event::v1::SystemEvent& event);

}  // namespace pvebus::cli
