#include "storage-service/host/probe/nfs_greeting.h"

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/match.h"

namespace pvebus::storage {
namespace {

// RFC 5531, with the record marking of its section 11.
constexpr uint32_t kLastFragment = 0x80000000;
constexpr uint32_t kTransactionId = 0x70766562;
constexpr uint32_t kCall = 0;
constexpr uint32_t kReply = 1;
constexpr uint32_t kRpcVersion = 2;
constexpr uint32_t kNfsProgram = 100003;
constexpr uint32_t kNullProcedure = 0;
constexpr uint32_t kNoAuthentication = 0;
constexpr uint32_t kEmpty = 0;
constexpr uint32_t kCallBytes = 40;
constexpr size_t kRecordMarkBytes = 4;

std::string Words(std::initializer_list<uint32_t> words) {
  std::string bytes;
  for (const uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(word >> shift & 0xff));
  }
  return bytes;
}

}  // namespace

Greeting NfsGreeting(const Storage& storage) {
  const auto options = storage.properties.find("options");
  const uint32_t version = options != storage.properties.end() && absl::StrContains(options->second, "vers=4") ? 4 : 3;
  return {.bytes = Words({kLastFragment | kCallBytes, kTransactionId, kCall, kRpcVersion, kNfsProgram, version, kNullProcedure,
                          kNoAuthentication, kEmpty, kNoAuthentication, kEmpty}),
          .answer = Words({kTransactionId, kReply}),
          .answer_at = kRecordMarkBytes};
}

}  // namespace pvebus::storage
