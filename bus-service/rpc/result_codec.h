#pragma once

#include <string>

#include "bus-service/core/bus.h"
#include "pvebus/bus/v1/bus_service.pb.h"

namespace pvebus::bus {

// Appends what became of a publish, as the bytes of a v1::PublishResult: in a batch there are thousands of rows. The bus's
// thread.
void AppendResult(const Publication& publication, Bus& bus, std::string& out);
// The same with what came of publishing it: the bytes of a v1::PublishResponse.
void AppendResponse(const PublishReply& reply, Bus& bus, std::string& out);
void EncodeResult(const Publication& publication, Bus& bus, v1::PublishResult& out);
void EncodeError(const ListenerError& error, v1::ListenerError& out);
// A status as an error in data, for BatchPublish.
void EncodeStatus(const absl::Status& status, v1::ListenerError& out);

}  // namespace pvebus::bus
