#pragma once

#include <optional>
#include <string>

#include "container-service/core/lifecycle.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::container {

// What happened to containers as the bus's events. A start is a ContainerStarted; the others are custom events:
//   container_stopped {container_id}
//   container_network_changed {container_id, change ("interface_added", ...), interface, device, before, after}
//   container_migrated {container_id}
// Any thread.

event::v1::SystemEvent EventOf(const Lifecycle& what);
// Nothing when the event is about no container, or does not say about which.
std::optional<Lifecycle> LifecycleOf(const event::v1::SystemEvent& event);

// Whether the bus has numbered it. What an operator lets hooks run for is not there: it has not happened, and can have caused
// nothing that the bus knows.
bool IsOnTheBus(const event::v1::SystemEvent& event);

// "container/101"
std::string ResourceOf(const Lifecycle& what);

}  // namespace pvebus::container
