#pragma once

#include <string>

#include "pvebus/event/v1/event.pb.h"

namespace pvebus::events {

// The event in one line for eyes: "container 101 started", "network: vmbr0 updated, vmbr1 created". Any thread.
std::string Summarize(const event::v1::SystemEvent& event);

}  // namespace pvebus::events
