#include "network-service/host/node/node_of_machine.h"

#include <utility>

#include "network-service/core/errors.h"
#include "network-service/host/files/configuration_lock.h"
#include "network-service/host/files/machine_files.h"
#include "network-service/host/files/unified_diff.h"
#include "sdk/netlink/network_dump.h"

namespace pvebus::network {
namespace {

constexpr const char* kNoFile = "/dev/null";

Ifupdown::Options InFolder(Ifupdown::Options options, const std::string& folder) {
  options.directory = folder;
  return options;
}

}  // namespace

NodeOfMachine::NodeOfMachine(const Options& options)
    : etc_network_(options.etc_network),
      lock_limit_(options.lock_limit),
      programs_({}),
      files_(options.etc_network),
      ifupdown_(InFolder(options.ifupdown, options.etc_network), programs_) {}

absl::StatusOr<std::unique_ptr<NodeLock>> NodeOfMachine::Lock(const std::stop_token& stop) {
  return LockConfiguration(etc_network_, lock_limit_, stop);
}

absl::StatusOr<NetworkConfiguration> NodeOfMachine::ReadApplied() {
  auto configuration = Read(files_.AppliedPath());
  if (absl::IsNotFound(configuration.status())) return NetworkConfiguration();
  return configuration;
}

absl::StatusOr<NetworkConfiguration> NodeOfMachine::ReadCandidate(Candidate candidate) {
  if (absl::Status status = files_.RequireCandidate(candidate); !status.ok()) return status;
  auto configuration = Read(files_.PathOf(candidate));
  // Just now it was there.
  if (absl::IsNotFound(configuration.status()))
    return ConfigurationUnreadable(files_.PathOf(candidate), "it was just taken away");
  return configuration;
}

absl::StatusOr<std::string> NodeOfMachine::UnifiedDiff() {
  const auto files = files_.Read();
  if (!files.ok()) return files.status();
  if (!files->staged || files->staged == files->applied) return "";
  auto diff = DiffFiles(files->applied ? files_.AppliedPath() : kNoFile, files_.PathOf(Candidate::kStaged), programs_);
  // It may have been applied meanwhile.
  if (!diff.ok() && !files_.RequireCandidate(Candidate::kStaged).ok()) return "";
  return diff;
}

absl::StatusOr<ProgramReport> NodeOfMachine::CheckSyntax(Candidate candidate, const std::stop_token& stop) {
  if (absl::Status status = files_.RequireCandidate(candidate); !status.ok()) return status;
  return ifupdown_.CheckSyntax(files_.PathOf(candidate), stop);
}

absl::StatusOr<NetworkSnapshot> NodeOfMachine::ReadKernel() { return ReadNetwork(); }

absl::StatusOr<NetworkConfiguration> NodeOfMachine::Read(const std::string& main_file) const {
  MachineFiles files;
  auto configuration = ReadConfiguration({.main_file = main_file, .etc_network = etc_network_}, files);
  if (configuration.ok() || absl::IsNotFound(configuration.status())) return configuration;
  return ConfigurationUnreadable(main_file, std::string(configuration.status().message()));
}

}  // namespace pvebus::network
