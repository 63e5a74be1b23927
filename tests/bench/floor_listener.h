#pragma once

#include <string>

namespace pvebus::bench {

// A listener as light as it can be: one thread that reads deliveries and acknowledges each message with one message. Prints
// `registered`, returns when the stream ends.
void RunFloorListener(const std::string& address, const std::string& name);

}  // namespace pvebus::bench
