#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "bus-service/core/event.h"
#include "sdk/base/clock.h"

namespace pvebus::bus {

// Every error a user of the bus can see. The reason travels as google.rpc.ErrorInfo; what programs need beside it is metadata.

// Malformed requests: INVALID_ARGUMENT; `field` is metadata too.
absl::Status RequestMalformed(std::string_view what);                                           // REQUEST_MALFORMED
absl::Status FieldInvalid(std::string_view field, std::string_view rule);                       // FIELD_INVALID
absl::Status PayloadMissing();                                                                  // PAYLOAD_MISSING
absl::Status IdInvalid(std::string_view field, std::string_view value, std::string_view rule);  // ID_INVALID
absl::Status FilterInvalid(std::string_view filter, size_t position, std::string_view what);    // FILTER_INVALID
absl::Status NameInvalid(std::string_view field, std::string_view name);                        // NAME_INVALID
absl::Status EventTooLarge(size_t bytes, size_t limit);                                         // EVENT_TOO_LARGE
absl::Status RegistrationExpected(std::string_view got);                                        // REGISTRATION_EXPECTED
absl::Status MessageEmpty(std::string_view message);                                            // MESSAGE_EMPTY

// Publishing.
absl::Status EventIdConflict(std::string_view event_id);      // ALREADY_EXISTS EVENT_ID_CONFLICT
absl::Status RequestIdConflict(std::string_view request_id);  // ALREADY_EXISTS REQUEST_ID_CONFLICT
absl::Status ParentUnknown(std::string_view event_id);        // FAILED_PRECONDITION PARENT_UNKNOWN
absl::Status HopLimitExceeded(uint32_t limit);                // FAILED_PRECONDITION HOP_LIMIT_EXCEEDED
absl::Status RequiredListenerMissing(std::string_view listener,
                                     std::string_view why);               // FAILED_PRECONDITION REQUIRED_LISTENER_MISSING
absl::Status SequenceMismatch(Sequence expected, Sequence last);          // ABORTED SEQUENCE_MISMATCH
absl::Status JournalFull(uint64_t limit_bytes, std::string_view holder);  // RESOURCE_EXHAUSTED JOURNAL_FULL, retry delay
absl::Status DiskFull(std::string_view what);                             // RESOURCE_EXHAUSTED JOURNAL_FULL, retry delay
absl::Status PublishBackpressure(size_t waiting);                         // RESOURCE_EXHAUSTED PUBLISH_BACKPRESSURE, retry delay
absl::Status JournalDamaged(std::string_view what);                       // DATA_LOSS JOURNAL_DAMAGED
// NOT_FOUND EVENT_NOT_FOUND. `some_lost`: an operator has accepted a loss, and nothing tells the ids of what was lost.
absl::Status EventNotFound(std::string_view key, bool some_lost = false);
absl::Status EventLost(Sequence sequence, Gap lost);  // DATA_LOSS EVENT_LOST

// Listening.
absl::Status ListenerNameInUse(std::string_view listener, std::string_view instance, std::string_view node, std::string_view peer,
                               SystemTime lease_end);                                 // ALREADY_EXISTS LISTENER_NAME_IN_USE
absl::Status AlreadyRegistered(std::string_view listener);                            // FAILED_PRECONDITION ALREADY_REGISTERED
absl::Status SessionSuperseded(std::string_view by_instance, std::string_view peer);  // ABORTED SESSION_SUPERSEDED
absl::Status LeaseExpired(Duration lease);                                            // ABORTED LEASE_EXPIRED
absl::Status ListenerEvicted(std::string_view reason);                                // ABORTED LISTENER_EVICTED
absl::Status ListenerDeleted();                                                       // ABORTED LISTENER_DELETED
absl::Status RegistrationTimeout(Duration limit);                                     // DEADLINE_EXCEEDED REGISTRATION_EXPECTED
absl::Status SequenceCompacted(Sequence asked, Sequence first);                       // OUT_OF_RANGE SEQUENCE_COMPACTED
absl::Status TooManyListeners(size_t limit);                                          // RESOURCE_EXHAUSTED TOO_MANY_LISTENERS
absl::Status Draining();                                                              // UNAVAILABLE DRAINING, retry delay

// Operating.
absl::Status ListenerNotFound(std::string_view name, std::string_view nearest);          // NOT_FOUND LISTENER_NOT_FOUND
absl::Status EtagMismatch(std::string_view etag);                                        // ABORTED ETAG_MISMATCH
absl::Status ListenerNotEmpty(std::string_view name, uint64_t backlog, bool connected);  // FAILED_PRECONDITION LISTENER_NOT_EMPTY
absl::Status ListenerIsEphemeral(std::string_view name);                              // FAILED_PRECONDITION LISTENER_IS_EPHEMERAL
absl::Status DeadLetterNotFound(uint64_t id);                                         // NOT_FOUND DEAD_LETTER_NOT_FOUND
absl::Status RedriveRunning(std::string_view listener, std::string_view redrive_id);  // FAILED_PRECONDITION REDRIVE_RUNNING
absl::Status ReplayTooLarge(uint64_t limit, Sequence next);                           // OUT_OF_RANGE REPLAY_TOO_LARGE
absl::Status PageTokenInvalid();                                                      // INVALID_ARGUMENT PAGE_TOKEN_INVALID

}  // namespace pvebus::bus
