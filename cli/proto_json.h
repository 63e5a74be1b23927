#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace pvebus::cli {

// Protobuf's JSON with the contract's field names. kPretty is for one document and writes zero values too; kOneLine is for
// streams.
enum class JsonLayout { kPretty, kOneLine };
std::string ToJson(const google::protobuf::Message& message, JsonLayout layout);

}  // namespace pvebus::cli
