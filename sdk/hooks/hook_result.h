#pragma once

#include <string>
#include <vector>

#include "pvebus/bus/v1/types.pb.h"
#include "sdk/base/clock.h"
#include "sdk/hooks/hook.h"

namespace pvebus::hooks {

// What hooks say, as rows of the contract: texts cut to its limits and valid UTF-8. Any thread.

// Whether a hook can end so.
bool IsState(bus::v1::HookState state);
// The hook's own row.
bus::v1::HookResult ResultOf(const std::string& hook, const HookOutcome& outcome, Duration duration);
// Of something that it acted on.
bus::v1::HookResult ResultOf(const std::string& hook, const HookDetail& detail);
// At most kMaxHookDetails of a hook's `rows`: what matters most stays, and the last row counts what was left out.
std::vector<bus::v1::HookResult> Bounded(std::vector<bus::v1::HookResult> rows);

}  // namespace pvebus::hooks
