#pragma once

#include "bus-service/core/publication.h"

namespace pvebus::bus {

// What the bus itself says of a row that did not succeed; pvebus.bus.v1.ListenerError.
ListenerError ExpiredError();    // EVENT_EXPIRED
ListenerError SeekError();       // SEEK
ListenerError TruncatedError();  // BACKLOG_TRUNCATED
ListenerError GoneError();       // LISTENER_GONE
ListenerError DeletedError();    // LISTENER_DELETED

}  // namespace pvebus::bus
