#pragma once

#include "bus-service/core/bus.h"
#include "pvebus/bus/v1/bus_service.pb.h"

namespace pvebus::bus {

// What became of a publish, for the wire. The bus's thread.
void EncodeResult(const Publication& publication, Bus& bus, v1::PublishResult& out);
void EncodeError(const ListenerError& error, v1::ListenerError& out);
// A status as an error in data, for BatchPublish.
void EncodeStatus(const absl::Status& status, v1::ListenerError& out);

}  // namespace pvebus::bus
