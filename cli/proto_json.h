#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace pvebus::cli {

// Protobuf's JSON with the contract's field names, zero values included. `kPretty` is for one document, `kOneLine` for streams.
enum class JsonLayout { kPretty, kOneLine };
std::string ToJson(const google::protobuf::Message& message, JsonLayout layout);

}  // namespace pvebus::cli
