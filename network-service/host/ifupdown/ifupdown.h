#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply.h"
#include "sdk/base/clock.h"
#include "sdk/programs/program_runner.h"

namespace pvebus::network {

// ifupdown2 on this machine. One run at a time is all that it allows, so that ours waits for those of others. Its outcome is a
// report, whatever it is. Errors: FAILED_PRECONDITION PROGRAM_NOT_RUN when it could not be started; CANCELLED WAIT_STOPPED when
// `stop` was requested before its end, for it was ended then. One thread.
class Ifupdown {
 public:
  struct Options {
    std::string ifreload = "/usr/sbin/ifreload";
    std::string ifup = "/usr/sbin/ifup";
    std::string lock_file = "/run/network/.lock";       // ifupdown2's own
    std::string directory = "/";                        // in which it begins: what it takes relative paths of sources from
    Duration reload_limit = std::chrono::seconds(300);  // with the wait for others
    Duration syntax_limit = std::chrono::seconds(60);   // with the wait for others
    bool needs_root = true;                             // ifupdown2 does
  };
  // Requires: `programs` outlives this.
  Ifupdown(Options options, ProgramRunner& programs) : options_(std::move(options)), programs_(programs) {}

  // FAILED_PRECONDITION PRIVILEGES_MISSING, IFUPDOWN2_MISSING.
  absl::Status CheckAbility() const;
  // What its parser says about `file` as the main file. Changes nothing.
  absl::StatusOr<ProgramReport> CheckSyntax(const std::string& file, const std::stop_token& stop);
  // What the files say comes into force.
  absl::StatusOr<ProgramReport> Reload(const std::stop_token& stop);
  // Until no other is at work, at most for the time of a reload.
  void WaitForOthers(const std::stop_token& stop) const;

 private:
  struct Command {
    std::string program;
    std::vector<std::string> arguments;
    Duration limit;
  };

  absl::StatusOr<ProgramReport> Run(const Command& command, const std::stop_token& stop);
  absl::StatusOr<ProgramReport> RunOnce(const Command& command, Duration limit, const std::stop_token& stop);
  bool IsAtWork() const;

  const Options options_;
  ProgramRunner& programs_;
};

}  // namespace pvebus::network
