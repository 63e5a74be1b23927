#pragma once

#include <string>

#include "network-service/core/apply.h"

namespace pvebus::network {

// Any bytes: no text, and with a NUL among them.
inline std::string RawBytes(char which) { return std::string("\0\xff\xc3\n'", 5) + which; }

// One with every field set, where it may be to raw bytes.
inline ApplyRecord FullApply(const std::string& apply_id) {
  ApplyRecord record;
  record.apply_id = apply_id;
  record.request_id = "request of " + apply_id;
  record.source = ApplySource::kRevert;
  record.state = ApplyState::kUndoFailed;
  record.reason = RawBytes('a');
  record.requested_by = "uid 0, pid 1";
  record.reverts_apply_id = "the one before";
  record.revert_request_id = "revert of " + apply_id;
  record.begin_time = SystemTime(std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(1));
  record.end_time = record.begin_time + std::chrono::nanoseconds(2);
  record.confirm_timeout = std::chrono::nanoseconds(3);
  record.confirm_until = record.begin_time + std::chrono::hours(1);
  record.old_file = RawBytes('b');
  record.new_file = RawBytes('c');
  record.old_interfaces = RawBytes('d');
  record.new_interfaces = RawBytes('e');
  record.warnings = {RawBytes('f'), "", "3:x", std::string(100'000, 'w')};
  record.reload = {.exit_code = -1, .timed_out = true, .output = RawBytes('g'), .duration = std::chrono::minutes(5)};
  record.failure = {.reason = "RELOAD_FAILED", .message = RawBytes('h')};
  return record;
}

// One with what every one has.
inline ApplyRecord PlainApply(const std::string& apply_id, ApplyState state = ApplyState::kCommitted) {
  ApplyRecord record;
  record.apply_id = apply_id;
  record.state = state;
  return record;
}

}  // namespace pvebus::network
