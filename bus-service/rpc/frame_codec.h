#pragma once

#include <string>

#include "bus-service/core/messages.h"
#include "grpcpp/support/byte_buffer.h"

namespace pvebus::bus {

// A ListenResponse, ready to be written. Events go out as the bytes they were published as; large ones are shared by all
// listeners, not copied. Any thread.
grpc::ByteBuffer EncodeFrame(const Frame& frame, const std::string& bus_instance_id);

}  // namespace pvebus::bus
