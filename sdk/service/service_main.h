// Everything a service's main needs.
#pragma once

#include "sdk/service/flags.h"           // IWYU pragma: export
#include "sdk/service/listen_address.h"  // IWYU pragma: export
#include "sdk/service/listen_ports.h"    // IWYU pragma: export
#include "sdk/service/logging.h"         // IWYU pragma: export
#include "sdk/service/options.h"         // IWYU pragma: export
#include "sdk/service/server.h"          // IWYU pragma: export
#include "sdk/service/stop_signal.h"     // IWYU pragma: export
#include "sdk/service/systemd.h"         // IWYU pragma: export
