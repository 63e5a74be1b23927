#include "migration-service/host/route_map/nginx_route_map.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "migration-service/core/errors.h"
#include "migration-service/host/route_map/nginx_text.h"
#include "sdk/base/utf8.h"
#include "sdk/posix/fd.h"
#include "sdk/posix/files.h"

namespace pvebus::migration {
namespace {

constexpr size_t kMostBytes = size_t{4} << 20;
constexpr mode_t kMode = 0644;

std::string TextOf(int error) { return std::generic_category().message(error); }

absl::Status WriteAll(const Fd& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::UnavailableError(TextOf(errno));
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file.get()) == 0 ? absl::OkStatus() : absl::UnavailableError(TextOf(errno));
}

absl::Status SyncFolderOf(const std::string& path) {
  const Fd folder(open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && fsync(folder.get()) == 0 ? absl::OkStatus() : absl::UnavailableError(TextOf(errno));
}

}  // namespace

NginxRouteMap::NginxRouteMap(Options options, const RouteTable& table)
    : options_(std::move(options)), table_(table), programs_({}) {
  status_.path = options_.path;
}

RouteMapStatus NginxRouteMap::status() const {
  MutexLock lock(mu_);
  return status_;
}

RouteMapUpdate NginxRouteMap::Bring(Phase phase, const std::stop_token& stop) {
  MutexLock turn(bringing_);
  RouteMapUpdate update = BringInTurn(phase, stop);
  MutexLock lock(mu_);
  const bool failed = update.state == RouteMapUpdate::State::kFailed;
  status_.error = failed ? update.message : "";
  if (!failed) status_.phase = phase;
  return update;
}

RouteMapUpdate NginxRouteMap::BringInTurn(Phase phase, const std::stop_token& stop) {
  const auto old = Read();
  if (!old.ok()) return {.state = RouteMapUpdate::State::kFailed, .message = std::string(old.status().message())};
  const std::string text = NginxMap(table_, phase);
  const std::string before = *old ? PhaseOfNginxMap(**old) : "";
  if (told_ && *old == text) return {.before = before, .message = "it was so already"};
  told_ = false;
  if (absl::Status status = Write(text); !status.ok()) {
    return {.state = RouteMapUpdate::State::kFailed, .before = before, .message = std::string(status.message())};
  }
  const absl::Status checked = options_.check ? RunNginx({"-t", "-q"}, stop) : absl::OkStatus();
  const absl::Status told = checked.ok() && options_.reload ? RunNginx({"-s", "reload"}, stop) : checked;
  if (told.ok()) {
    told_ = true;
    return {.state = RouteMapUpdate::State::kWritten,
            .before = before,
            .message = options_.reload ? "written, and nginx has it" : "written"};
  }
  // nginx that includes it does not start without it, and so could never be told.
  if (checked.ok() && !*old) {
    return {.state = RouteMapUpdate::State::kFailed,
            .message = std::string(told.message()) + "; the table is there for when nginx starts"};
  }
  // nginx goes on with what it has, and would not start with what it refuses.
  std::string message = std::string(told.message()) + "; the last good table is in force";
  if (absl::Status status = Write(*old); !status.ok()) {
    message = absl::StrFormat("%s; and the last good one could not be written back: %s", told.message(), status.message());
  }
  return {.state = RouteMapUpdate::State::kFailed, .before = before, .message = std::move(message)};
}

absl::Status NginxRouteMap::RunNginx(std::vector<std::string> arguments, const std::stop_token& stop) {
  const std::string what = absl::StrFormat("nginx %s", arguments.front() == "-t" ? "-t" : "-s reload");
  if (!options_.nginx_config.empty()) {
    arguments.insert(arguments.end(), {"-c", options_.nginx_config});
  }
  const ProgramCall call{.path = options_.nginx,
                         .arguments = std::move(arguments),
                         .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"},
                         .time_limit = options_.time_limit};
  const ProgramResult result = programs_.Run(call, stop);
  const std::string output = CleanUtf8End(result.output, 1024);
  switch (result.end) {
    case ProgramResult::End::kNotStarted:
      return absl::UnavailableError(absl::StrFormat("%s %s", options_.nginx, result.message));
    case ProgramResult::End::kTimedOut:
      return absl::UnavailableError(absl::StrFormat("%s did not end in time: %s", what, output));
    case ProgramResult::End::kStopped:
      return absl::CancelledError(absl::StrFormat("%s was stopped", what));
    default:
      break;
  }
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrFormat("%s ended with %d: %s", what, result.exit_code, output));
}

absl::StatusOr<std::optional<std::string>> NginxRouteMap::Read() const {
  auto text = ReadFile(options_.path, kMostBytes);
  if (text.ok()) return std::optional<std::string>(*std::move(text));
  if (absl::IsNotFound(text.status())) return std::optional<std::string>();
  return absl::UnavailableError(absl::StrFormat("cannot read %s: %s", options_.path, std::string(text.status().message())));
}

absl::Status NginxRouteMap::Write(const std::optional<std::string>& text) const {
  const auto failed = [&](std::string_view why) {
    return absl::UnavailableError(absl::StrFormat("cannot write %s: %s", options_.path, why));
  };
  if (!text) {
    if (unlink(options_.path.c_str()) != 0 && errno != ENOENT) return failed(TextOf(errno));
    return absl::OkStatus();
  }
  const std::string temporary = options_.path + ".new";
  {
    const Fd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
    if (!file) return failed(TextOf(errno));
    if (absl::Status status = WriteAll(file, *text); !status.ok()) {
      unlink(temporary.c_str());
      return failed(std::string(status.message()));
    }
  }
  if (rename(temporary.c_str(), options_.path.c_str()) != 0) {
    absl::Status status = failed(TextOf(errno));
    unlink(temporary.c_str());
    return status;
  }
  if (absl::Status status = SyncFolderOf(options_.path); !status.ok()) return failed(std::string(status.message()));
  return absl::OkStatus();
}

}  // namespace pvebus::migration
