#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"

// What lists in pages have in common. Any thread.
namespace pvebus::service {

// 1..1,000, 0 for 100; else INVALID_ARGUMENT PAGE_SIZE_INVALID.
absl::StatusOr<size_t> ParsePageSize(int32_t page_size);
// INVALID_ARGUMENT PAGE_TOKEN_INVALID.
absl::Status PageTokenInvalid(std::string_view page_token);

// The room on one page: clients take messages of 4 MiB. One thread.
class PageRoom {
 public:
  // False: it is for the next page. The first one always has room.
  bool Take(const google::protobuf::MessageLite& message);

 private:
  size_t taken_bytes_ = 0;
};

}  // namespace pvebus::service
