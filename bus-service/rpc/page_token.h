#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace pvebus::bus {

// Page tokens: a position, and a fingerprint of the request it belongs to. Any thread.

// The next page of a list begins at `position`. `request` without its page_size and page_token; the same bytes mean the same
// list.
std::string MakePageToken(uint64_t position, const google::protobuf::MessageLite& request);
// The position. PAGE_TOKEN_INVALID when it is no token of this list.
absl::StatusOr<uint64_t> ReadPageToken(const std::string& token, const google::protobuf::MessageLite& request);

}  // namespace pvebus::bus
