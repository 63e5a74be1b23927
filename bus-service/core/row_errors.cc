#include "bus-service/core/row_errors.h"

namespace pvebus::bus {
namespace {

constexpr int kDeadlineExceeded = 4;
constexpr int kAborted = 10;
constexpr int kOutOfRange = 11;
constexpr int kUnavailable = 14;

}  // namespace

ListenerError ExpiredError() {
  return {kDeadlineExceeded, "EVENT_EXPIRED", "the event's expire_time passed before it was handled", {}, false};
}

ListenerError SeekError() { return {kAborted, "SEEK", "an operator moved the listener past this event", {}, false}; }

ListenerError TruncatedError() {
  return {kOutOfRange, "BACKLOG_TRUNCATED", "the listener lagged too far behind and the journal gave the event up", {}, false};
}

ListenerError GoneError() {
  return {kUnavailable, "LISTENER_GONE", "the ephemeral listener left before it had handled the event", {}, false};
}

ListenerError DeletedError() { return {kAborted, "LISTENER_DELETED", "an operator deleted the listener", {}, false}; }

}  // namespace pvebus::bus
