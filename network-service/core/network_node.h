#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply.h"
#include "network-service/core/interfaces_reader.h"
#include "sdk/base/network.h"

namespace pvebus::network {

// The main files of the node as they are. A value.
struct NodeFiles {
  std::optional<std::string> applied;  // interfaces; nothing: there is none
  std::optional<std::string> staged;   // interfaces.new
};

// Which file is meant to become `interfaces`.
enum class Candidate {
  kStaged,  // interfaces.new
  kRevert,  // one of our own, made by PutRevertCandidate
};

// Proxmox VE's lock of the network configuration; let go when destroyed.
class NodeLock {
 public:
  virtual ~NodeLock() = default;
};

// The node whose network is changed: its files, its ifupdown2, its kernel. Its calls may block, Reload for minutes. One thread at
// a time but for ReadFiles, ReadApplied, ReadCandidate and UnifiedDiff, which any thread may call at any time.
//
// Files are replaced atomically, and are on the disk when a call returns OK.
class NetworkNode {
 public:
  virtual ~NetworkNode() = default;

  // FAILED_PRECONDITION IFUPDOWN2_MISSING, PRIVILEGES_MISSING: what an apply needs and this process does not have.
  virtual absl::Status CheckAbility() = 0;
  // Waits for Proxmox VE and others, at most 10 s. UNAVAILABLE CONFIGURATION_LOCKED; CANCELLED when `stop` is requested.
  virtual absl::StatusOr<std::unique_ptr<NodeLock>> Lock(const std::stop_token& stop) = 0;

  // FAILED_PRECONDITION CONFIGURATION_UNREADABLE.
  virtual absl::StatusOr<NodeFiles> ReadFiles() = 0;
  // The effective configuration; none at all when there is no `interfaces`. FAILED_PRECONDITION CONFIGURATION_UNREADABLE.
  virtual absl::StatusOr<NetworkConfiguration> ReadApplied() = 0;
  virtual absl::StatusOr<NetworkConfiguration> ReadCandidate(Candidate candidate) = 0;
  // interfaces -> interfaces.new, as `diff -u` says it; empty when they are equal or nothing is staged.
  virtual absl::StatusOr<std::string> UnifiedDiff() = 0;

  // What ifupdown2 itself says about the candidate; changes nothing. An error only when it could not be asked.
  virtual absl::StatusOr<ProgramReport> CheckSyntax(Candidate candidate, const std::stop_token& stop) = 0;
  // Writes the candidate of a revert. A full disk is RESOURCE_EXHAUSTED DISK_FULL.
  virtual absl::Status PutRevertCandidate(const std::string& bytes) = 0;
  // Makes sure that `interfaces` can be brought back without needing room on the disk: gives it a second, hidden name.
  virtual absl::Status KeepOld() = 0;
  // The candidate becomes `interfaces`. Requires: KeepOld.
  virtual absl::Status Install(Candidate candidate) = 0;
  // `interfaces` is `old_file` again, byte by byte with owner and mode (nothing: it is no more). What `interfaces` was until now
  // becomes interfaces.new when `keep` is kAsStaged and there is none, or interfaces.pvebus-reverted when it is kAsReverted.
  // Does nothing but let go of what KeepOld made when `interfaces` is `old_file` already. May be called again after a crash.
  enum class Keep { kAsStaged, kAsReverted, kNot };
  virtual absl::Status Restore(const std::optional<std::string>& old_file, Keep keep) = 0;
  // The old file is not needed any more. Lets go of the revert's candidate, too.
  virtual absl::Status DropOld() = 0;

  // `ifreload -a`. When its time is over it is ended with all that it started. An error only when it could not be started.
  virtual absl::StatusOr<ProgramReport> Reload(const std::stop_token& stop) = 0;
  // Waits a moment (a second) until no ifupdown2 is at work. False: one still is.
  virtual bool WaitForOtherReloads(const std::stop_token& stop) = 0;
  virtual absl::StatusOr<NetworkSnapshot> ReadKernel() = 0;
};

}  // namespace pvebus::network
