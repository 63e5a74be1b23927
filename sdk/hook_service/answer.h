#pragma once

#include <string>
#include <vector>

#include "pvebus/bus/v1/types.pb.h"
#include "sdk/client/listener.h"

namespace pvebus::hook_service {

// What the hooks did, as the answer to the bus: acknowledged when none FAILED, else rejected for another attempt with INTERNAL
// HOOK_FAILED, naming them. A `refusal`, the reason of a hook that no other attempt would help, makes a dead letter of it. All
// carry every hook's result.
client::Answer AnswerFor(const std::vector<bus::v1::HookResult>& results, const std::string& refusal = {});

}  // namespace pvebus::hook_service
