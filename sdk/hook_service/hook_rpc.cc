#include "sdk/hook_service/hook_rpc.h"

#include <charconv>
#include <string_view>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::hook_service {
namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;

absl::Status PageSizeInvalid(int32_t page_size) {
  return MakeError(absl::StatusCode::kInvalidArgument, "PAGE_SIZE_INVALID",
                   absl::StrFormat("page_size is %d; it is 1..%d, or 0 for %d", page_size, kMaxPageSize, kDefaultPageSize),
                   {{"field", "page_size"}, {"limit", std::to_string(kMaxPageSize)}});
}

absl::Status PageTokenInvalid(std::string_view page_token) {
  return MakeError(absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
                   absl::StrFormat("page_token '%s' is not the next_page_token of an earlier page", page_token.substr(0, 64)),
                   {{"field", "page_token"}});
}

absl::Status StateInvalid(int state) {
  return MakeError(absl::StatusCode::kInvalidArgument, "STATE_INVALID",
                   absl::StrFormat("state %d is not one of HookState", state), {{"field", "state"}});
}

// The token of a page is the id of its last execution: pages stay right while new executions come in at the front.
absl::StatusOr<uint64_t> ParsePageToken(std::string_view token) {
  if (token.empty()) return 0;
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
  if (error != std::errc() || end != token.data() + token.size() || id == 0) return PageTokenInvalid(token);
  return id;
}

}  // namespace

absl::StatusOr<ExecutionsPage> ReadExecutions(const hooks::HookChain& chain, ExecutionsRequest request) {
  if (request.page_size < 0 || request.page_size > kMaxPageSize) return PageSizeInvalid(request.page_size);
  if (!bus::v1::HookState_IsValid(request.query.state)) return StateInvalid(request.query.state);
  const absl::StatusOr<uint64_t> before = ParsePageToken(request.page_token);
  if (!before.ok()) return before.status();
  if (!request.query.hook.empty()) {
    if (absl::Status status = chain.CheckName(request.query.hook); !status.ok()) return status;
  }

  const size_t page_size = request.page_size == 0 ? kDefaultPageSize : request.page_size;
  request.query.before_execution_id = *before;
  request.query.limit = page_size + 1;  // one more tells whether there is another page
  ExecutionsPage page{.executions = chain.Executions(request.query)};
  if (page.executions.size() > page_size) {
    page.executions.pop_back();
    page.next_page_token = std::to_string(page.executions.back().execution_id());
  }
  return page;
}

absl::StatusOr<std::vector<bus::v1::HookStatistics>> ReadStatistics(const hooks::HookChain& chain, const std::string& hook) {
  std::vector<bus::v1::HookStatistics> all = chain.Statistics();
  if (hook.empty()) return all;
  if (absl::Status status = chain.CheckName(hook); !status.ok()) return status;
  std::erase_if(all, [&](const bus::v1::HookStatistics& statistics) { return statistics.hook() != hook; });
  return all;
}

}  // namespace pvebus::hook_service
