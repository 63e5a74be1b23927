#include "sdk/hook_service/hook_rpc.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/service/page.h"

namespace pvebus::hook_service {
namespace {

absl::Status StateInvalid(int state) {
  return MakeError(absl::StatusCode::kInvalidArgument, "STATE_INVALID",
                   absl::StrFormat("state %d is not one of HookState", state), {{"field", "state"}});
}

// The token of a page is the id of its last execution: pages stay right while new executions come in at the front.
absl::StatusOr<uint64_t> ParsePageToken(std::string_view token) {
  if (token.empty()) return 0;
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
  if (error != std::errc() || end != token.data() + token.size() || id == 0) return service::PageTokenInvalid(token);
  return id;
}

// How many of the first are one page; at least one, when there is one.
size_t CountThatFit(const std::vector<bus::v1::HookExecution>& executions, size_t page_size) {
  service::PageRoom room;
  size_t count = 0;
  while (count < std::min(executions.size(), page_size) && room.Take(executions[count])) ++count;
  return count;
}

}  // namespace

absl::StatusOr<ExecutionsPage> ReadExecutions(const hooks::HookChain& chain, ExecutionsRequest request) {
  const absl::StatusOr<size_t> page_size = service::ParsePageSize(request.page_size);
  if (!page_size.ok()) return page_size.status();
  if (!bus::v1::HookState_IsValid(request.query.state)) return StateInvalid(request.query.state);
  const absl::StatusOr<uint64_t> before = ParsePageToken(request.page_token);
  if (!before.ok()) return before.status();
  if (!request.query.hook.empty()) {
    if (absl::Status status = chain.CheckName(request.query.hook); !status.ok()) return status;
  }

  request.query.before_execution_id = *before;
  request.query.limit = *page_size + 1;  // one more tells whether there is another page
  ExecutionsPage page{.executions = chain.Executions(request.query)};
  const size_t fits = CountThatFit(page.executions, *page_size);
  if (page.executions.size() > fits) {
    page.executions.resize(fits);
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
