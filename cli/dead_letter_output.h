#pragma once

#include <ostream>
#include <vector>

#include "pvebus/bus/v1/dead_letter_service.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::cli {

// One row per dead letter; ages are as of `now`.
void PrintDeadLetters(const google::protobuf::RepeatedPtrField<bus::v1::DeadLetter>& letters, SystemTime now, std::ostream& out);

// Everything about one: the event, every attempt, what the hooks did, and what to do about it.
void PrintDeadLetter(const bus::v1::DeadLetter& letter, SystemTime now, std::ostream& out);

}  // namespace pvebus::cli
