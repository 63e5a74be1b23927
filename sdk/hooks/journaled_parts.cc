#include "sdk/hooks/journaled_parts.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/hooks/event_line.h"
#include "sdk/hooks/hook_result.h"

namespace pvebus::hooks {

JournaledParts::JournaledParts(const std::string& hook, const client::EventContext& context, const Clock& clock,
                               HookJournal& journal, std::function<void(const bus::v1::HookResult&)> recorded)
    : hook_(hook), context_(context), clock_(clock), journal_(journal), recorded_(std::move(recorded)) {}

std::optional<uint32_t> JournaledParts::DoneIn(std::string_view part) const {
  if (!context_.replay_id().empty() || context_.dry_run()) return std::nullopt;
  const SucceededHooks succeeded = journal_.SucceededFor(context_.event().event_id());
  const auto found = succeeded.find(SuccessName(hook_, part));
  return found == succeeded.end() ? std::nullopt : std::optional(found->second);
}

void JournaledParts::Record(const HookDetail& part) {
  HookRecord record;
  record.result = ResultOf(hook_, part);
  if (!IsState(part.state)) {
    record.result.set_state(bus::v1::HOOK_STATE_FAILED);
    record.result.set_message(absl::StrFormat("it ended with the unknown state %d", part.state));
  }
  record.part = part.resource;
  record.start = clock_.SystemNow() - part.duration;
  record.duration = part.duration;
  record.ran = true;
  record.interrupted = context_.stop().stop_requested();
  journal_.Record({.event_id = context_.event().event_id(),
                   .attempt = context_.attempt(),
                   .resource = ResourceOf(context_.event()),
                   .dry_run = context_.dry_run(),
                   .records = {record}});
  recorded_(record.result);
}

}  // namespace pvebus::hooks
