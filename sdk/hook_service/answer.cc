#include "sdk/hook_service/answer.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::hook_service {
namespace {

constexpr size_t kMaxMessageBytes = 4096;
constexpr size_t kMaxRows = 256;  // the bus refuses more

// The rows of the hooks themselves; the others are their details.
std::vector<const bus::v1::HookResult*> OwnRows(const std::vector<bus::v1::HookResult>& results) {
  std::vector<const bus::v1::HookResult*> rows;
  for (const bus::v1::HookResult& result : results) {
    if (rows.empty() || rows.back()->hook() != result.hook()) rows.push_back(&result);
  }
  return rows;
}

// All hooks, and of their details as many as there is room for.
void AddRows(const std::vector<bus::v1::HookResult>& results, size_t own_rows,
             google::protobuf::RepeatedPtrField<bus::v1::HookResult>& to) {
  size_t room = kMaxRows - std::min(kMaxRows, own_rows);
  std::string hook;
  for (const bus::v1::HookResult& result : results) {
    const bool detail = result.hook() == hook;
    if (detail && room == 0) continue;
    room -= detail ? 1 : 0;
    hook = result.hook();
    *to.Add() = result;
  }
}

bool Failed(const bus::v1::HookResult* row) { return row->state() == bus::v1::HOOK_STATE_FAILED; }

bus::v1::ListenerError HookFailed(const std::vector<const bus::v1::HookResult*>& rows) {
  std::string names;
  std::string messages;
  int failed = 0;
  for (const bus::v1::HookResult* row : rows) {
    if (!Failed(row)) continue;
    absl::StrAppendFormat(&names, "%s%s", names.empty() ? "" : ",", row->hook());
    absl::StrAppendFormat(&messages, "%s%s: %s", messages.empty() ? "" : "; ", row->hook(), row->message());
    ++failed;
  }
  bus::v1::ListenerError error;
  error.set_code(static_cast<int>(absl::StatusCode::kInternal));
  error.set_reason("HOOK_FAILED");
  error.set_message(CleanUtf8(absl::StrFormat("%d of %d hooks failed: %s", failed, rows.size(), messages), kMaxMessageBytes));
  (*error.mutable_metadata())["hooks"] = names.substr(0, 1024);
  error.set_retryable(true);
  return error;
}

}  // namespace

client::Answer AnswerFor(const std::vector<bus::v1::HookResult>& results, const std::string& refusal) {
  const std::vector<const bus::v1::HookResult*> rows = OwnRows(results);
  if (std::none_of(rows.begin(), rows.end(), Failed)) {
    bus::v1::Acknowledgement acknowledgement;
    AddRows(results, rows.size(), *acknowledgement.mutable_hook_results());
    return client::Answer::Ack(std::move(acknowledgement));
  }
  bus::v1::Rejection rejection;
  rejection.set_mode(bus::v1::REJECT_MODE_RETRY);
  *rejection.mutable_error() = HookFailed(rows);
  if (!refusal.empty()) {
    rejection.set_mode(bus::v1::REJECT_MODE_DEAD_LETTER);
    rejection.mutable_error()->set_code(static_cast<int>(absl::StatusCode::kFailedPrecondition));
    rejection.mutable_error()->set_reason(refusal);
    rejection.mutable_error()->set_retryable(false);
  }
  AddRows(results, rows.size(), *rejection.mutable_hook_results());
  return client::Answer::Reject(std::move(rejection));
}

}  // namespace pvebus::hook_service
