#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "network-service/core/apply.h"
#include "network-service/core/config_change.h"

namespace pvebus::network {

inline constexpr std::chrono::seconds kLeastConfirmTimeout{1};
inline constexpr std::chrono::hours kMostConfirmTimeout{24};
inline constexpr size_t kMostReasonBytes = 1024;
inline constexpr size_t kMostRequestIdBytes = 256;

// Every error of network-service that a user sees.

// Refusals: nothing was touched.
absl::Status ApplyInProgress(std::string_view apply_id);          // ABORTED APPLY_IN_PROGRESS
absl::Status RecoveryPending();                                   // UNAVAILABLE RECOVERY_PENDING
absl::Status ConfirmationPending(std::string_view apply_id);      // FAILED_PRECONDITION CONFIRMATION_PENDING
absl::Status NothingStaged(std::string_view path);                // FAILED_PRECONDITION NOTHING_STAGED
absl::Status StagedInvalid(const NetworkDiff& diff);              // FAILED_PRECONDITION STAGED_INVALID, with the first errors
absl::Status SyntaxCheckFailed(const ProgramReport& report);      // FAILED_PRECONDITION SYNTAX_CHECK_FAILED
absl::Status EtagMismatch(std::string_view etag);                 // ABORTED ETAG_MISMATCH: `etag` is what it is now
absl::Status ConfirmTimeoutInvalid();                             // INVALID_ARGUMENT CONFIRM_TIMEOUT_INVALID
absl::Status FieldTooLong(std::string_view field, size_t limit);  // INVALID_ARGUMENT FIELD_TOO_LONG
absl::Status RequestIdInUse(std::string_view request_id);         // ALREADY_EXISTS REQUEST_ID_IN_USE
absl::Status ApplyNotFound(std::string_view apply_id);            // NOT_FOUND APPLY_NOT_FOUND
absl::Status RequestNotFound(std::string_view request_id);        // NOT_FOUND APPLY_NOT_FOUND
absl::Status NoSuchApply(int64_t number);                         // NOT_FOUND APPLY_NOT_FOUND
absl::Status NothingToConfirm();                                  // FAILED_PRECONDITION NOTHING_TO_CONFIRM
absl::Status NothingToRevert();                                   // FAILED_PRECONDITION NOTHING_TO_REVERT
absl::Status ApplyNotInForce(const ApplyRecord& record);          // FAILED_PRECONDITION APPLY_NOT_IN_FORCE
absl::Status ApplySuperseded(const ApplyRecord& record);          // FAILED_PRECONDITION APPLY_SUPERSEDED
absl::Status NotRevertible(const ApplyRecord& record);            // FAILED_PRECONDITION APPLY_NOT_REVERTIBLE

// What the node itself refuses. `error` is an errno.
absl::Status ConfigurationLocked(std::string_view path);  // UNAVAILABLE CONFIGURATION_LOCKED
absl::Status ConfigurationUnreadable(std::string_view path,
                                     std::string_view why);               // FAILED_PRECONDITION CONFIGURATION_UNREADABLE
absl::Status ConfigurationUnwatchable(std::string_view path, int error);  // FAILED_PRECONDITION CONFIGURATION_UNWATCHABLE
// FAILED_PRECONDITION CONFIGURATION_UNWRITABLE; without room RESOURCE_EXHAUSTED DISK_FULL.
absl::Status ConfigurationUnwritable(std::string_view path, int error);
absl::Status Ifupdown2Missing(std::string_view path);                     // FAILED_PRECONDITION IFUPDOWN2_MISSING
absl::Status PrivilegesMissing(uint32_t user_id);                         // FAILED_PRECONDITION PRIVILEGES_MISSING
absl::Status ProgramNotRun(std::string_view path, std::string_view why);  // FAILED_PRECONDITION PROGRAM_NOT_RUN
absl::Status WaitStopped(std::string_view what);                          // CANCELLED WAIT_STOPPED

// What a record that is neither in force nor awaits confirmation is for who wanted it in force: FAILED_PRECONDITION, or INTERNAL
// UNDO_FAILED, with metadata apply_id.
absl::Status UndoneApply(const ApplyRecord& record);

// It could not be brought back, or that not be recorded: it is tried again until it works. INTERNAL UNDO_FAILED.
absl::Status UndoUnfinished(std::string_view apply_id, std::string_view why);

}  // namespace pvebus::network
