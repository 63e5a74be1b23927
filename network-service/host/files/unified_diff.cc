#include "network-service/host/files/unified_diff.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "network-service/core/errors.h"
#include "network-service/host/files/file_names.h"

namespace pvebus::network {
namespace {

constexpr const char* kDiff = "/usr/bin/diff";
constexpr std::chrono::seconds kLimit{10};
constexpr size_t kMostBytes = 1 << 20;

std::string WholeLines(const ProgramResult& result) {
  if (result.output_bytes == result.output.size()) return result.output;
  const size_t begin = std::min(result.output.find('\n'), result.output.size() - 1) + 1;
  return absl::StrFormat("[left out: %d bytes]\n%s", result.output_bytes - (result.output.size() - begin),
                         result.output.substr(begin));
}

}  // namespace

absl::StatusOr<std::string> DiffFiles(const std::string& before, const std::string& after, ProgramRunner& programs) {
  ProgramCall call{.path = kDiff,
                   .arguments = {"-u", "--text", "--label", kAppliedName, "--label", kStagedName, "--", before, after},
                   .environment = {"LC_ALL=C"},
                   .time_limit = kLimit,
                   .most_output_bytes = kMostBytes};
  const ProgramResult result = programs.Run(call, {});
  switch (result.end) {
    case ProgramResult::End::kExited:
      if (result.exit_code <= 1) return WholeLines(result);
      return ConfigurationUnreadable(after, result.output);
    case ProgramResult::End::kNotStarted:
      return ProgramNotRun(kDiff, result.message);
    case ProgramResult::End::kTimedOut:
      return ProgramNotRun(kDiff, absl::StrFormat("did not end within %d s", kLimit.count()));
    case ProgramResult::End::kSignalled:
    case ProgramResult::End::kStopped:
      return ProgramNotRun(kDiff, absl::StrFormat("was ended by signal %d", result.exit_code - 128));
  }
  return absl::OkStatus();
}

}  // namespace pvebus::network
