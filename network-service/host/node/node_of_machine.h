#pragma once

#include <memory>
#include <optional>
#include <string>

#include "network-service/core/network_node.h"
#include "network-service/host/files/main_files.h"
#include "network-service/host/ifupdown/ifupdown.h"
#include "sdk/programs/program_runner.h"

namespace pvebus::network {

// This machine. Owned by main. Threads: as NetworkNode says. Requires what ProgramRunner does.
class NodeOfMachine final : public NetworkNode {
 public:
  struct Options {
    std::string etc_network = "/etc/network";
    Duration lock_limit = std::chrono::seconds(10);
    Ifupdown::Options ifupdown;  // its directory is etc_network
  };
  explicit NodeOfMachine(const Options& options);

  absl::Status CheckAbility() override { return ifupdown_.CheckAbility(); }
  // Also FAILED_PRECONDITION CONFIGURATION_UNWRITABLE, when there can be no lock.
  absl::StatusOr<std::unique_ptr<NodeLock>> Lock(const std::stop_token& stop) override;

  absl::StatusOr<NodeFiles> ReadFiles() override { return files_.Read(); }
  absl::StatusOr<NetworkConfiguration> ReadApplied() override;
  absl::StatusOr<NetworkConfiguration> ReadCandidate(Candidate candidate) override;
  absl::StatusOr<std::string> UnifiedDiff() override;

  // CANCELLED WAIT_STOPPED when `stop` was requested before its end; so is Reload.
  absl::StatusOr<ProgramReport> CheckSyntax(Candidate candidate, const std::stop_token& stop) override;
  absl::Status PutRevertCandidate(const std::string& bytes) override { return files_.PutRevertCandidate(bytes); }
  absl::Status KeepOld() override { return files_.KeepOld(); }
  absl::Status Install(Candidate candidate) override { return files_.Install(candidate); }
  absl::Status Restore(const std::optional<std::string>& old_file, Keep keep) override { return files_.Restore(old_file, keep); }
  absl::Status DropOld() override { return files_.DropOld(); }

  absl::StatusOr<ProgramReport> Reload(const std::stop_token& stop) override { return ifupdown_.Reload(stop); }
  void WaitForOtherReloads(const std::stop_token& stop) override { ifupdown_.WaitForOthers(stop); }
  absl::StatusOr<NetworkSnapshot> ReadKernel() override;

 private:
  absl::StatusOr<NetworkConfiguration> Read(const std::string& main_file) const;

  const std::string etc_network_;
  const Duration lock_limit_;
  ProgramRunner programs_;
  const MainFiles files_;
  Ifupdown ifupdown_;
};

}  // namespace pvebus::network
