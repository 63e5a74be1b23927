#include "sdk/hooks/hook_result.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"
#include "sdk/base/utf8.h"

namespace pvebus::hooks {
namespace {

constexpr size_t kMaxResourceBytes = 256;
constexpr size_t kMaxTextBytes = 4096;

template <typename Row>
bus::v1::HookResult RowOf(const std::string& hook, const Row& row, Duration duration) {
  bus::v1::HookResult result;
  result.set_hook(hook);
  result.set_state(row.state);
  result.set_resource(CleanUtf8(row.resource, kMaxResourceBytes));
  result.set_before(CleanUtf8(row.before, kMaxTextBytes));
  result.set_after(CleanUtf8(row.after, kMaxTextBytes));
  result.set_message(CleanUtf8(row.message, kMaxTextBytes));
  *result.mutable_duration() = google::protobuf::util::TimeUtil::NanosecondsToDuration(duration.count());
  if (row.exit_code) result.set_exit_code(*row.exit_code);
  result.set_output(CleanUtf8End(row.output, kMaxTextBytes));
  return result;
}

// Who looks for what FAILED must find it among any number that did not.
int RankOf(const bus::v1::HookResult& row) {
  switch (row.state()) {
    case bus::v1::HOOK_STATE_FAILED:
      return 0;
    case bus::v1::HOOK_STATE_CHANGED:
      return 1;
    default:
      return 2;
  }
}

}  // namespace

bool IsState(bus::v1::HookState state) { return state != bus::v1::HOOK_STATE_UNSPECIFIED && bus::v1::HookState_IsValid(state); }

bus::v1::HookResult ResultOf(const std::string& hook, const HookOutcome& outcome, Duration duration) {
  return RowOf(hook, outcome, duration);
}

bus::v1::HookResult ResultOf(const std::string& hook, const HookDetail& detail) {
  // The bus refuses an answer with a negative duration.
  return RowOf(hook, detail, std::max(detail.duration, Duration::zero()));
}

std::vector<bus::v1::HookResult> Bounded(std::vector<bus::v1::HookResult> rows) {
  if (rows.size() <= kMaxHookDetails) return rows;
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return RankOf(a) < RankOf(b); });
  const size_t left_out = rows.size() - (kMaxHookDetails - 1);
  const HookDetail count{.state = rows[kMaxHookDetails - 1].state(), .message = absl::StrFormat("and %d more", left_out)};
  rows.resize(kMaxHookDetails - 1);
  rows.push_back(ResultOf(rows.front().hook(), count));
  return rows;
}

}  // namespace pvebus::hooks
