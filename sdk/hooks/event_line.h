#pragma once

#include <string>

#include "pvebus/event/v1/event.pb.h"
#include "sdk/client/event_context.h"

namespace pvebus::hooks {

// What the event is about, as the ordering key that the bus derives from the payload says it: "network", "container/101",
// "storage/nas", "migration", "custom/<name>". A publisher's own ordering_key does not change it. Any thread.
std::string ResourceOf(const event::v1::SystemEvent& event);

// The delivery as one key=value line for logs: its type, id, sequence, attempt, source, and what matters of the payload: the
// container's id, the number of changes and their targets, ... Values that are not plain words are quoted. Bounded in length.
std::string EventLine(const client::EventContext& context);

}  // namespace pvebus::hooks
