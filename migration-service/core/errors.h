#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "migration-service/core/gates.h"
#include "migration-service/core/phase.h"

namespace pvebus::migration {

inline constexpr size_t kMostReasonBytes = 1024;
inline constexpr size_t kMostRequestIdBytes = 256;

// Every error of migration-service that a user sees.
absl::Status MethodInvalid(std::string_view method);                           // INVALID_ARGUMENT METHOD_INVALID
absl::Status PathInvalid(std::string_view why);                                // INVALID_ARGUMENT PATH_INVALID
absl::Status PatternInvalid(std::string_view pattern);                         // INVALID_ARGUMENT PATTERN_INVALID
absl::Status OverrideInvalid(std::string_view line, std::string_view why);     // INVALID_ARGUMENT OVERRIDE_INVALID
absl::Status PhaseInvalid(int phase);                                          // INVALID_ARGUMENT PHASE_INVALID
absl::Status ImplementationInvalid(int implementation);                        // INVALID_ARGUMENT IMPLEMENTATION_INVALID
absl::Status ResultInvalid(int result);                                        // INVALID_ARGUMENT RESULT_INVALID
absl::Status FieldTooLong(std::string_view field, size_t limit);               // INVALID_ARGUMENT FIELD_TOO_LONG
absl::Status ReasonMissing(Phase from, Phase to);                              // INVALID_ARGUMENT REASON_MISSING
absl::Status PhaseJump(Phase from, Phase to);                                  // FAILED_PRECONDITION PHASE_JUMP
absl::Status GatesClosed(Phase to, const std::vector<GateVerdict>& verdicts);  // FAILED_PRECONDITION GATES_CLOSED
// ALREADY_EXISTS REQUEST_ID_CONFLICT: it asked for another phase before.
absl::Status RequestIdConflict(std::string_view request_id, Phase before);
absl::Status EtagMismatch(std::string_view etag);  // ABORTED ETAG_MISMATCH: `etag` is what it is now
// ABORTED PHASE_CHANGED: it was decided when another phase was in force.
absl::Status PhaseChanged(Phase expected, Phase found);
// FAILED_PRECONDITION STATE_NOT_NEW: an older form of the state cannot be taken over any more.
absl::Status StateNotNew();

}  // namespace pvebus::migration
