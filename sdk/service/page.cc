#include "sdk/service/page.h"

#include <string>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::service {
namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;
constexpr size_t kMaxPageBytes = 3 << 20;
constexpr size_t kShownTokenBytes = 64;

}  // namespace

absl::StatusOr<size_t> ParsePageSize(int32_t page_size) {
  if (page_size >= 0 && page_size <= kMaxPageSize) return static_cast<size_t>(page_size == 0 ? kDefaultPageSize : page_size);
  return MakeError(absl::StatusCode::kInvalidArgument, "PAGE_SIZE_INVALID",
                   absl::StrFormat("page_size is %d; it is 1..%d, or 0 for %d", page_size, kMaxPageSize, kDefaultPageSize),
                   {{"field", "page_size"}, {"limit", std::to_string(kMaxPageSize)}});
}

absl::Status PageTokenInvalid(std::string_view page_token) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
      absl::StrFormat("page_token '%s' is not the next_page_token of an earlier page", CleanUtf8(page_token, kShownTokenBytes)),
      {{"field", "page_token"}});
}

bool PageRoom::Take(const google::protobuf::MessageLite& message) {
  const size_t bytes = message.ByteSizeLong();
  if (taken_bytes_ > 0 && taken_bytes_ + bytes > kMaxPageBytes) return false;
  // An empty message has none, but makes the page no longer empty.
  taken_bytes_ += bytes + 1;
  return true;
}

}  // namespace pvebus::service
