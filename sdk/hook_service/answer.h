#pragma once

#include <vector>

#include "pvebus/bus/v1/types.pb.h"
#include "sdk/client/listener.h"

namespace pvebus::hook_service {

// What the hooks did, as the answer to the bus: acknowledged when none FAILED, else rejected for another attempt with INTERNAL
// HOOK_FAILED, naming them. Both carry every hook's result.
client::Answer AnswerFor(const std::vector<bus::v1::HookResult>& results);

}  // namespace pvebus::hook_service
