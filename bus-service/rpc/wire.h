#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace pvebus::bus {

// Bytes of gRPC <-> messages. Any thread.

// INVALID_ARGUMENT REQUEST_MALFORMED that names the first field with invalid UTF-8, or says that the bytes are no such message.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);
grpc::ByteBuffer SerializeMessage(const google::protobuf::MessageLite& message);

// Dotted path of the first string field in `bytes` that is not UTF-8; empty when there is none.
std::string FindInvalidUtf8(const google::protobuf::Descriptor& type, std::string_view bytes);

}  // namespace pvebus::bus
