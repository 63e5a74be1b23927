#pragma once

#include <string>

#include "cli/console.h"
#include "google/protobuf/message.h"

namespace pvebus::cli {

// Protobuf's JSON with the contract's field names. kPretty is for one document and writes zero values too; kOneLine is for
// streams.
enum class JsonLayout { kPretty, kOneLine };
std::string ToJson(const google::protobuf::Message& message, JsonLayout layout);

// The answer of a command: as a document for programs, or as `print(out)` writes it for eyes.
template <typename Print>
void Show(const google::protobuf::Message& message, Console& console, Print print) {
  if (console.json()) {
    console.out << ToJson(message, JsonLayout::kPretty);
  } else {
    print(console.out);
  }
}

}  // namespace pvebus::cli
