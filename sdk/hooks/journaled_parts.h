#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pvebus/bus/v1/types.pb.h"
#include "sdk/base/clock.h"
#include "sdk/client/event_context.h"
#include "sdk/hooks/hook.h"
#include "sdk/hooks/hook_journal.h"

namespace pvebus::hooks {

// The parts of one call of a hook, looked up and recorded in the journal. Owned by the run, on the stack of the worker that calls
// the hook. Any thread.
class JournaledParts final : public HookParts {
 public:
  // `recorded` gets the row of each part when it is in the journal. Requires: hook, context, clock and journal outlive it.
  JournaledParts(const std::string& hook, const client::EventContext& context, const Clock& clock, HookJournal& journal,
                 std::function<void(const bus::v1::HookResult&)> recorded);

  std::optional<uint32_t> DoneIn(std::string_view part) const override;
  void Record(const HookDetail& part) override;

 private:
  const std::string& hook_;
  const client::EventContext& context_;
  const Clock& clock_;
  HookJournal& journal_;
  const std::function<void(const bus::v1::HookResult&)> recorded_;
};

}  // namespace pvebus::hooks
