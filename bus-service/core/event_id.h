#pragma once

#include <string>

#include "sdk/base/clock.h"
#include "sdk/base/random.h"

namespace pvebus::bus {

// A UUID version 7 (RFC 9562, 5.7): milliseconds since 1970, then random bits. Ascending over time.
std::string MakeEventId(SystemTime time, Random& random);

}  // namespace pvebus::bus
