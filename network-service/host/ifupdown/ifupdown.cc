#include "network-service/host/ifupdown/ifupdown.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "network-service/core/errors.h"
#include "sdk/base/await.h"
#include "sdk/posix/fd.h"

namespace pvebus::network {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kOtherIsAtWork = 89;  // ifupdown2's exit status, of a run that did nothing
constexpr int kKilled = 128 + SIGKILL;
constexpr milliseconds kBetweenLooks{100};
constexpr size_t kMostOutputBytes = 64 * 1024;

bool IsProgram(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

ProgramReport ReportOf(ProgramResult result) {
  const bool timed_out = result.end == ProgramResult::End::kTimedOut;
  // A program that obeys when it is told to end may call that a success, and of one that never ends there is no exit status.
  if (timed_out && result.exit_code == 0) result.exit_code = kKilled;
  return {.exit_code = result.exit_code, .timed_out = timed_out, .output = std::move(result.output), .duration = result.duration};
}

}  // namespace

absl::Status Ifupdown::CheckAbility() const {
  if (options_.needs_root && geteuid() != 0) return PrivilegesMissing(geteuid());
  for (const std::string& program : {options_.ifreload, options_.ifup}) {
    if (!IsProgram(program)) return Ifupdown2Missing(program);
  }
  return absl::OkStatus();
}

absl::StatusOr<ProgramReport> Ifupdown::CheckSyntax(const std::string& file, const std::stop_token& stop) {
  return Run({.program = options_.ifup, .arguments = {"-a", "-s", "-i", file}, .limit = options_.syntax_limit}, stop);
}

absl::StatusOr<ProgramReport> Ifupdown::Reload(const std::stop_token& stop) {
  return Run({.program = options_.ifreload, .arguments = {"-a"}, .limit = options_.reload_limit}, stop);
}

void Ifupdown::WaitForOthers(const std::stop_token& stop) const {
  AwaitByAsking([this] { return !IsAtWork(); }, kBetweenLooks, steady_clock::now() + options_.reload_limit, stop);
}

absl::StatusOr<ProgramReport> Ifupdown::Run(const Command& command, const std::stop_token& stop) {
  // It makes its lock file, but not the directory of it, which is missing until the first network interface is up.
  mkdir(std::filesystem::path(options_.lock_file).parent_path().c_str(), 0755);
  const SteadyTime deadline = steady_clock::now() + command.limit;
  for (;;) {
    auto report = RunOnce(command, deadline - steady_clock::now(), stop);
    if (!report.ok() || report->timed_out || report->exit_code != kOtherIsAtWork) return report;
    // With a pause in any case: it may be configured to have another lock file.
    bool paused = false;
    const auto is_free = [&] { return std::exchange(paused, true) && !IsAtWork(); };
    if (AwaitByAsking(is_free, kBetweenLooks, deadline, stop)) continue;
    if (stop.stop_requested()) return WaitStopped("another run of ifupdown2");
    return report;
  }
}

absl::StatusOr<ProgramReport> Ifupdown::RunOnce(const Command& command, Duration limit, const std::stop_token& stop) {
  std::error_code ignored;
  ProgramCall call{
      .path = command.program,
      .arguments = command.arguments,
      .environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"},
      .directory = std::filesystem::is_directory(options_.directory, ignored) ? options_.directory : "/",
      .time_limit = std::max(std::chrono::duration_cast<milliseconds>(limit), milliseconds(1)),
      .most_output_bytes = kMostOutputBytes};
  ProgramResult result = programs_.Run(call, stop);
  if (result.end == ProgramResult::End::kStopped) return WaitStopped("the end of " + command.program);
  if (result.end == ProgramResult::End::kNotStarted) return ProgramNotRun(command.program, result.message);
  return ReportOf(std::move(result));
}

// To ask for the lock is the only way to know of it. It is held for no longer than it takes to let it go; what ifupdown2 starts
// in just that moment ends with kOtherIsAtWork.
bool Ifupdown::IsAtWork() const {
  const Fd lock(open(options_.lock_file.c_str(), O_RDONLY | O_CLOEXEC));
  return lock && flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace pvebus::network
