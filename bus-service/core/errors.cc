#include "bus-service/core/errors.h"

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::bus {
namespace {

using absl::StatusCode;
using absl::StrFormat;

absl::Status WithRetryDelay(absl::Status status, std::chrono::milliseconds delay) {
  SetRetryDelay(status, delay);
  return status;
}

// What a stranger sent is shown, but not all of it.
std::string Shown(std::string_view text) {
  constexpr size_t kMost = 80;
  return CleanUtf8(text, kMost) + (text.size() > kMost ? "..." : "");
}

}  // namespace

absl::Status RequestMalformed(std::string_view what) {
  return MakeError(StatusCode::kInvalidArgument, "REQUEST_MALFORMED", StrFormat("request malformed: %s", what));
}

absl::Status FieldInvalid(std::string_view field, std::string_view rule) {
  return MakeError(StatusCode::kInvalidArgument, "FIELD_INVALID", StrFormat("%s %s", field, rule),
                   {{"field", std::string(field)}});
}

absl::Status PayloadMissing() {
  return MakeError(StatusCode::kInvalidArgument, "PAYLOAD_MISSING",
                   "event has no payload: set one of network_applied, container_started, storage_vlan_created, "
                   "migration_phase_changed, custom",
                   {{"field", "event.payload"}});
}

absl::Status IdInvalid(std::string_view field, std::string_view value, std::string_view rule) {
  return MakeError(StatusCode::kInvalidArgument, "ID_INVALID",
                   StrFormat("%s \"%s\" is invalid: must be %s", field, Shown(value), rule), {{"field", std::string(field)}});
}

absl::Status FilterInvalid(std::string_view filter, size_t position, std::string_view what) {
  return MakeError(StatusCode::kInvalidArgument, "FILTER_INVALID",
                   StrFormat("filter \"%s\" is invalid at character %d: %s", Shown(filter), position + 1, what),
                   {{"field", "filter"}, {"position", std::to_string(position + 1)}});
}

absl::Status NameInvalid(std::string_view field, std::string_view name) {
  return MakeError(StatusCode::kInvalidArgument, "NAME_INVALID",
                   StrFormat("%s \"%s\" is invalid: must match ^[a-z][a-z0-9-]{0,62}$", field, Shown(name)),
                   {{"field", std::string(field)}});
}

absl::Status EventTooLarge(size_t bytes, size_t limit) {
  return MakeError(StatusCode::kInvalidArgument, "EVENT_TOO_LARGE",
                   StrFormat("event has %d bytes, the limit is %d", bytes, limit),
                   {{"field", "event"}, {"limit", std::to_string(limit)}, {"size", std::to_string(bytes)}});
}

absl::Status RegistrationExpected(std::string_view got) {
  return MakeError(StatusCode::kInvalidArgument, "REGISTRATION_EXPECTED",
                   StrFormat("the first message must be a registration, not %s", got));
}

absl::Status MessageEmpty(std::string_view message) {
  return MakeError(StatusCode::kInvalidArgument, "MESSAGE_EMPTY", StrFormat("%s has nothing set that this bus knows", message));
}

absl::Status EventIdConflict(std::string_view event_id) {
  return MakeError(StatusCode::kAlreadyExists, "EVENT_ID_CONFLICT",
                   StrFormat("event_id \"%s\" is in the journal with another content", event_id),
                   {{"event_id", std::string(event_id)}});
}

absl::Status RequestIdConflict(std::string_view request_id) {
  return MakeError(StatusCode::kAlreadyExists, "REQUEST_ID_CONFLICT",
                   StrFormat("request_id \"%s\" was used for an event with another content", request_id),
                   {{"request_id", std::string(request_id)}});
}

absl::Status ParentUnknown(std::string_view event_id) {
  return MakeError(StatusCode::kFailedPrecondition, "PARENT_UNKNOWN",
                   StrFormat("causation.parent_event_id \"%s\" is not in the journal", Shown(event_id)),
                   {{"field", "event.causation.parent_event_id"}});
}

absl::Status HopLimitExceeded(uint32_t limit) {
  return MakeError(
      StatusCode::kFailedPrecondition, "HOP_LIMIT_EXCEEDED",
      StrFormat("the chain of events that cause each other would be longer than %d: listeners answer each other's events?",
                limit),
      {{"limit", std::to_string(limit)}});
}

absl::Status RequiredListenerMissing(std::string_view listener, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "REQUIRED_LISTENER_MISSING",
                   StrFormat("required listener \"%s\" %s; nothing was stored", Shown(listener), why),
                   {{"listener", std::string(listener)}});
}

absl::Status SequenceMismatch(Sequence expected, Sequence last) {
  return MakeError(StatusCode::kAborted, "SEQUENCE_MISMATCH",
                   StrFormat("expected_last_sequence is %d, the journal's last sequence is %d", expected, last),
                   {{"last_sequence", std::to_string(last)}});
}

absl::Status JournalFull(uint64_t limit_bytes, std::string_view holder) {
  return WithRetryDelay(
      MakeError(StatusCode::kResourceExhausted, "JOURNAL_FULL",
                holder.empty()
                    ? StrFormat("the journal holds its limit of %d bytes", limit_bytes)
                    : StrFormat("the journal holds its limit of %d bytes of events that are not settled; listener \"%s\" is "
                                "furthest behind: start, seek or delete it",
                                limit_bytes, holder),
                {{"limit", std::to_string(limit_bytes)}, {"listener", std::string(holder)}}),
      std::chrono::seconds(1));
}

absl::Status DiskFull(std::string_view what) {
  return WithRetryDelay(MakeError(StatusCode::kResourceExhausted, "JOURNAL_FULL",
                                  StrFormat("the journal's disk has no room: %s; it goes on by itself when there is", what)),
                        std::chrono::seconds(1));
}

absl::Status PublishBackpressure(size_t waiting) {
  return WithRetryDelay(
      MakeError(StatusCode::kResourceExhausted, "PUBLISH_BACKPRESSURE",
                StrFormat("%d publishes wait for listeners already", waiting), {{"limit", std::to_string(waiting)}}),
      std::chrono::milliseconds(100));
}

absl::Status JournalDamaged(std::string_view what) {
  return MakeError(StatusCode::kDataLoss, "JOURNAL_DAMAGED",
                   StrFormat("the journal is damaged, and stores nothing until an operator decides: %s", what));
}

absl::Status EventNotFound(std::string_view key, bool some_lost) {
  return MakeError(
      StatusCode::kNotFound, "EVENT_NOT_FOUND",
      StrFormat("no event \"%s\" is in the journal%s", Shown(key),
                some_lost ? "; it may be one of those that were lost with a damage (`pvebus journal status` lists them)" : ""));
}

absl::Status EventLost(Sequence sequence, Gap lost) {
  return MakeError(StatusCode::kDataLoss, "EVENT_LOST",
                   StrFormat("event %d is lost: the journal was damaged, and an operator accepted to go on without events %d..%d",
                             sequence, lost.first, lost.last),
                   {{"first_sequence", std::to_string(lost.first)}, {"last_sequence", std::to_string(lost.last)}});
}

absl::Status ListenerNameInUse(std::string_view listener, std::string_view instance, std::string_view node, std::string_view peer,
                               SystemTime lease_end) {
  const std::string end = absl::FormatTime(absl::FromChrono(lease_end), absl::UTCTimeZone());
  return MakeError(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE",
                   StrFormat("listener \"%s\" is held by instance \"%s\" on node \"%s\" at %s until %s unless it renews",
                             listener, instance, node, peer, end),
                   {{"listener", std::string(listener)},
                    {"holder_instance_id", std::string(instance)},
                    {"holder_node", std::string(node)},
                    {"holder_peer", std::string(peer)},
                    {"lease_expire_time", end}});
}

absl::Status AlreadyRegistered(std::string_view listener) {
  return MakeError(StatusCode::kFailedPrecondition, "ALREADY_REGISTERED",
                   StrFormat("this stream is registered as \"%s\" already: open another one", listener));
}

absl::Status SessionSuperseded(std::string_view by_instance, std::string_view peer) {
  return MakeError(StatusCode::kAborted, "SESSION_SUPERSEDED",
                   StrFormat("instance \"%s\" at %s took the name over", by_instance, peer),
                   {{"instance_id", std::string(by_instance)}, {"peer", std::string(peer)}});
}

absl::Status LeaseExpired(Duration lease) {
  return MakeError(StatusCode::kAborted, "LEASE_EXPIRED",
                   StrFormat("nothing was heard for the lease of %d ms",
                             std::chrono::duration_cast<std::chrono::milliseconds>(lease).count()));
}

absl::Status ListenerEvicted(std::string_view reason) {
  return MakeError(StatusCode::kAborted, "LISTENER_EVICTED",
                   reason.empty() ? std::string("an operator evicted this listener")
                                  : StrFormat("an operator evicted this listener: %s", reason));
}

absl::Status ListenerDeleted() {
  return MakeError(StatusCode::kAborted, "LISTENER_DELETED", "an operator deleted this listener");
}

absl::Status RegistrationTimeout(Duration limit) {
  return MakeError(
      StatusCode::kDeadlineExceeded, "REGISTRATION_EXPECTED",
      StrFormat("no registration came within %d s", std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
}

absl::Status SequenceCompacted(Sequence asked, Sequence first) {
  return MakeError(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED",
                   StrFormat("sequence %d is no longer in the journal; it begins at %d", asked, first),
                   {{"first_sequence", std::to_string(first)}});
}

absl::Status TooManyListeners(size_t limit) {
  return MakeError(StatusCode::kResourceExhausted, "TOO_MANY_LISTENERS",
                   StrFormat("the bus knows its limit of %d listeners", limit), {{"limit", std::to_string(limit)}});
}

absl::Status Draining() {
  return WithRetryDelay(MakeError(StatusCode::kUnavailable, "DRAINING", "the bus is shutting down"), std::chrono::seconds(1));
}

absl::Status ListenerNotFound(std::string_view name, std::string_view nearest) {
  std::map<std::string, std::string> metadata{{"listener", std::string(name)}};
  if (!nearest.empty()) metadata["nearest"] = nearest;
  return MakeError(StatusCode::kNotFound, "LISTENER_NOT_FOUND",
                   StrFormat("there is no listener \"%s\"%s", Shown(name),
                             nearest.empty() ? std::string() : StrFormat("; did you mean \"%s\"?", nearest)),
                   metadata);
}

absl::Status EtagMismatch(std::string_view etag) {
  return MakeError(StatusCode::kAborted, "ETAG_MISMATCH", StrFormat("the listener was changed meanwhile; its etag is %s", etag),
                   {{"etag", std::string(etag)}});
}

absl::Status ListenerNotEmpty(std::string_view name, uint64_t backlog, bool connected) {
  return MakeError(StatusCode::kFailedPrecondition, "LISTENER_NOT_EMPTY",
                   StrFormat("listener \"%s\" %s and has %d unsettled events and dead letters: use force to drop them", name,
                             connected ? "is connected" : "is not connected", backlog),
                   {{"backlog", std::to_string(backlog)}});
}

absl::Status ListenerIsEphemeral(std::string_view name) {
  return MakeError(StatusCode::kFailedPrecondition, "LISTENER_IS_EPHEMERAL",
                   StrFormat("listener \"%s\" is ephemeral: nothing is kept for it, and it is gone with its holder", name));
}

absl::Status DeadLetterNotFound(uint64_t id) {
  return MakeError(StatusCode::kNotFound, "DEAD_LETTER_NOT_FOUND", StrFormat("there is no dead letter %d", id));
}

absl::Status RedriveRunning(std::string_view listener, std::string_view redrive_id) {
  return MakeError(
      StatusCode::kFailedPrecondition, "REDRIVE_RUNNING",
      StrFormat("redrive %s of listener %s is under way: wait until its deliveries are settled", redrive_id, listener),
      {{"listener", std::string(listener)}, {"redrive_id", std::string(redrive_id)}});
}

absl::Status ReplayTooLarge(uint64_t limit, Sequence next) {
  return MakeError(StatusCode::kOutOfRange, "REPLAY_TOO_LARGE",
                   StrFormat("more than %d events match: end before sequence %d and go on from there", limit, next),
                   {{"limit", std::to_string(limit)}, {"next_sequence", std::to_string(next)}});
}

absl::Status PageTokenInvalid() {
  return MakeError(StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID", "page_token is not one that this list returned",
                   {{"field", "page_token"}});
}

}  // namespace pvebus::bus
