#include "sdk/hook_service/answer.h"

#include <string>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::hook_service {
namespace {

constexpr size_t kMaxMessageBytes = 4096;

bus::v1::ListenerError HookFailed(const std::vector<bus::v1::HookResult>& results) {
  std::string names;
  std::string messages;
  int failed = 0;
  for (const bus::v1::HookResult& result : results) {
    if (result.state() != bus::v1::HOOK_STATE_FAILED) continue;
    absl::StrAppendFormat(&names, "%s%s", names.empty() ? "" : ",", result.hook());
    absl::StrAppendFormat(&messages, "%s%s: %s", messages.empty() ? "" : "; ", result.hook(), result.message());
    ++failed;
  }
  bus::v1::ListenerError error;
  error.set_code(static_cast<int>(absl::StatusCode::kInternal));
  error.set_reason("HOOK_FAILED");
  error.set_message(CleanUtf8(absl::StrFormat("%d of %d hooks failed: %s", failed, results.size(), messages), kMaxMessageBytes));
  (*error.mutable_metadata())["hooks"] = names.substr(0, 1024);
  error.set_retryable(true);
  return error;
}

bool AnyFailed(const std::vector<bus::v1::HookResult>& results) {
  for (const bus::v1::HookResult& result : results) {
    if (result.state() == bus::v1::HOOK_STATE_FAILED) return true;
  }
  return false;
}

}  // namespace

client::Answer AnswerFor(const std::vector<bus::v1::HookResult>& results) {
  if (!AnyFailed(results)) {
    bus::v1::Acknowledgement acknowledgement;
    for (const bus::v1::HookResult& result : results) *acknowledgement.add_hook_results() = result;
    return client::Answer::Ack(std::move(acknowledgement));
  }
  bus::v1::Rejection rejection;
  rejection.set_mode(bus::v1::REJECT_MODE_RETRY);
  *rejection.mutable_error() = HookFailed(results);
  for (const bus::v1::HookResult& result : results) *rejection.add_hook_results() = result;
  return client::Answer::Reject(std::move(rejection));
}

}  // namespace pvebus::hook_service
