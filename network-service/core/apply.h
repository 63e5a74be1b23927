#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sdk/base/clock.h"

namespace pvebus::network {

// Why the effective configuration of the node became another one.
enum class ApplySource {
  kPending,  // what was staged was applied
  kRevert,   // an apply that had been committed was taken back
  kSdn,      // Proxmox VE wrote interfaces.d/sdn
  kFile,     // somebody else wrote the files
  kRestart,  // found when the service started: changed while it was away
};

// Where an apply stands. The first three are under way: a process that died left them to the next one.
enum class ApplyState {
  kApplying,              // the files may be replaced, the network reloaded; nothing is promised yet
  kAwaitingConfirmation,  // in force, and undone at `confirm_until` unless confirmed
  kReverting,             // is being undone after it had been in force
  kCommitted,             // in force; or was, before a later one
  kReverted,              // had been in force; the old configuration is back
  kFailed,                // the old configuration is back, or was never away
  kUndoFailed,            // the old files are back, but the network could not be brought back to them
};

// What a program wrote, and how it ended.
struct ProgramReport {
  int exit_code = 0;  // 128 + the signal that ended it
  bool timed_out = false;
  std::string output;  // the last of it, raw
  Duration duration{};

  bool operator==(const ProgramReport&) const = default;
};

// Why an apply was undone.
struct ApplyFailure {
  std::string reason;   // UPPER_SNAKE: RELOAD_FAILED, NOT_CONFIRMED, ...
  std::string message;  // for eyes

  bool operator==(const ApplyFailure&) const = default;
};

// One change of the effective configuration, from its first step until long after its last: what a later process needs to finish
// or undo it, and what history shows. A value.
struct ApplyRecord {
  int64_t number = 0;      // their order; given by the store
  std::string apply_id;    // 32 hexadecimal digits
  std::string request_id;  // of the caller, who may ask again; empty: none
  ApplySource source = ApplySource::kPending;
  ApplyState state = ApplyState::kApplying;
  std::string reason;            // the operator's words, or what was found
  std::string requested_by;      // the peer
  std::string reverts_apply_id;  // of kRevert
  // Of who took it back while it awaited confirmation, and may ask again; empty: none.
  std::string revert_request_id;
  SystemTime begin_time{};
  std::optional<SystemTime> end_time;  // when it got its last state
  Duration confirm_timeout{};          // 0: no confirmation is asked for
  std::optional<SystemTime> confirm_until;

  // The main file, byte by byte. Nothing: there was none.
  std::optional<std::string> old_file;
  std::string new_file;
  // The effective configurations as PrintInterfaces writes them: what changed is what differs between them.
  std::string old_interfaces;
  std::string new_interfaces;

  std::vector<std::string> warnings;    // what was said about the new configuration, and about the kernel afterwards
  std::optional<ProgramReport> reload;  // of the new configuration
  ApplyFailure failure;                 // of kReverting, kReverted, kFailed, kUndoFailed
};

// What the bus must hear of an apply.
enum class NoticeKind {
  kApplied,   // NetworkApplied: old -> new
  kReverted,  // NetworkApplied: new -> old
  kFailed,    // Custom network_apply_failed
};
struct Notice {
  int64_t number = 0;  // their order; given by the store
  std::string apply_id;
  NoticeKind kind = NoticeKind::kApplied;
};

// What the bus answered about one of them.
struct Publication {
  NoticeKind kind = NoticeKind::kApplied;
  std::string request_id;  // it was, or will be, published with: the same for every attempt
  bool published = false;  // false: the bus has not taken it yet
  std::string result;      // a serialized pvebus.bus.v1.PublishResult, as it was heard last; empty: not heard
};

// "network-applied/<apply_id>", ...: the same after a restart.
std::string RequestIdOf(NoticeKind kind, const std::string& apply_id);

// Whether somebody has to go on with it.
bool IsUnderWay(ApplyState state);

// "AWAITING_CONFIRMATION", "PENDING", ...
std::string NameOf(ApplyState state);
std::string NameOf(ApplySource source);

}  // namespace pvebus::network
