#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "bus-service/core/dead_letters.h"
#include "bus-service/core/event_log.h"
#include "bus-service/core/replayer.h"
#include "bus-service/core/state_log.h"
#include "pvebus/bus/v1/dead_letter_service.pb.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::bus {

// What the journal holds, for the wire. Any thread.

// `types` is a mask of 1 << EventType; 0 is all.
inline bool WantsType(uint32_t types, EventType type) { return types == 0 || (types & (1u << static_cast<int>(type))) != 0; }

// The event without its payload's bulk: changes of a NetworkApplied and data of a Custom are left out.
event::v1::SystemEvent EncodeEventBriefly(const Event& event);
void EncodeProblem(const JournalProblem& problem, v1::JournalProblem& out);
void EncodeLoss(const Loss& loss, v1::JournalLoss& out);
void EncodeAttempt(const std::string& listener, const AttemptRecord& attempt, v1::DeliveryAttempt& out);
// Whole: with its payload, its attempts and what the hooks did.
void EncodeDeadLetter(const DeadLetter& letter, const std::string& redrive_id, bool whole, v1::DeadLetter& out);

// Where a part of the journal ends: `end_sequence` 0 is the newest. FIELD_INVALID when it begins after that.
absl::Status CheckEnd(const StartPosition& start, Sequence end_sequence);
absl::StatusOr<Replayer::Command> DecodeReplay(const v1::ReplayEventsRequest& request);
// A selection must be `present`, as an empty one means all dead letters.
absl::StatusOr<DeadLetters::Selection> DecodeSelection(bool present, const v1::DeadLetterSelection& selection);

}  // namespace pvebus::bus
