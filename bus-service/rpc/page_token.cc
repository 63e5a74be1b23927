#include "bus-service/rpc/page_token.h"

#include <charconv>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"

namespace pvebus::bus {
namespace {

// FNV-1a: the same in every run of the bus, so that a page may be turned after a restart.
uint32_t Fingerprint(const std::string& bytes) {
  uint32_t hash = 2166136261u;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619u;
  return hash;
}

}  // namespace

std::string MakePageToken(uint64_t position, const google::protobuf::MessageLite& request) {
  return absl::StrFormat("%x-%08x", position, Fingerprint(request.SerializeAsString()));
}

absl::StatusOr<uint64_t> ReadPageToken(const std::string& token, const google::protobuf::MessageLite& request) {
  uint64_t position = 0;
  const char* const end = token.data() + token.size();
  if (std::from_chars(token.data(), end, position, 16).ec != std::errc()) return PageTokenInvalid();
  if (token != MakePageToken(position, request)) return PageTokenInvalid();
  return position;
}

}  // namespace pvebus::bus
