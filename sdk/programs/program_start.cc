#include "sdk/programs/program_start.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/programs/pidfd.h"

namespace pvebus {
namespace {

std::string TextOf(int error) { return std::generic_category().message(error); }

absl::Status NotStarted(int error, std::string_view advice) {
  return absl::FailedPreconditionError(absl::StrFormat("was not started: %s%s", TextOf(error), advice));
}

absl::Status NoDescriptor(int error) {
  return NotStarted(error, error == EMFILE ? ": this service has too many files open (LimitNOFILE=)" : "");
}

// The kernel says ENOENT for a missing interpreter, too.
std::string_view WhyMissing(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return ": there is no such file";
  std::array<char, 256> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  const std::string_view text(begin.data(), begin.size());
  if (!text.starts_with("#!")) return ": the loader that it needs does not exist (is it for another machine?)";
  const std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) return ": its lines end as Windows ends them, so that its #! line names no interpreter (dos2unix)";
  return ": the interpreter that its #! line names does not exist";
}

absl::Status WhyNotStarted(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return NotStarted(error, WhyMissing(path));
    case ENOEXEC:
      return NotStarted(error, ": it has no #! line (such as #!/bin/sh) and is no program for this machine");
    case EACCES:
      return NotStarted(error, ": it must be executable (chmod +x), and its file system not be mounted noexec");
    case ETXTBSY:
      return NotStarted(error, ": something has it open for writing");
    case E2BIG:
      return NotStarted(error, ": its arguments and its environment are too long");
    case EAGAIN:
      return NotStarted(error, ": too many processes run (TasksMax=, or the user's limit)");
    default:
      return NotStarted(error, "");
  }
}

// Standard input is a file in memory rather than a pipe: nobody has to feed it, so that a program that does not read it keeps
// nobody waiting, and there is no write that could raise SIGPIPE in this process.
absl::StatusOr<Fd> MakeInput(std::string_view bytes) {
  constexpr unsigned kNoExecSeal = 0x0008U;  // MFD_NOEXEC_SEAL, that hardened kernels insist on and old ones do not know
  Fd input(memfd_create("pvebus-program-input", MFD_CLOEXEC | kNoExecSeal));
  if (!input && errno == EINVAL) input = Fd(memfd_create("pvebus-program-input", MFD_CLOEXEC));
  if (!input) return NoDescriptor(errno);
  off_t at = 0;
  while (!bytes.empty()) {
    // Leaves the offset at 0, where the program begins to read.
    const ssize_t written = pwrite(input.get(), bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return NotStarted(errno, ": its input could not be written");
    at += written;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return input;
}

// What posix_spawn is told. One thread.
class SpawnOrders {
 public:
  SpawnOrders(const Fd& input, const Fd& output, const std::string& directory) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    Note(posix_spawn_file_actions_init(&actions_));
    Note(posix_spawnattr_init(&attributes_));
    Note(posix_spawn_file_actions_adddup2(&actions_, input.get(), STDIN_FILENO));
    Note(posix_spawn_file_actions_adddup2(&actions_, output.get(), STDOUT_FILENO));
    Note(posix_spawn_file_actions_adddup2(&actions_, output.get(), STDERR_FILENO));
    Note(posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1));
    Note(posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str()));
    Note(posix_spawnattr_setsigmask(&attributes_, &none));
    Note(posix_spawnattr_setsigdefault(&attributes_, &all));
    // A session of its own is a process group of its own that its leader cannot leave, and has no terminal to wait for.
    Note(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  ~SpawnOrders() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnOrders(const SpawnOrders&) = delete;
  SpawnOrders& operator=(const SpawnOrders&) = delete;

  // The error, or 0.
  int Spawn(const ProgramCall& call, pid_t& pid) const {
    if (error_ != 0) return error_;
    std::vector<char*> argv = {const_cast<char*>(call.path.c_str())};
    for (const std::string& argument : call.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (const std::string& variable : call.environment) environment.push_back(const_cast<char*>(variable.c_str()));
    environment.push_back(nullptr);
    return posix_spawn(&pid, call.path.c_str(), &actions_, &attributes_, argv.data(), environment.data());
  }

 private:
  void Note(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  int error_ = 0;
};

void KillAndReap(pid_t pid) {
  kill(-pid, SIGKILL);
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

}  // namespace

absl::StatusOr<StartedProgram> StartProgram(const ProgramCall& call) {
  StartedProgram started;
  started.wake = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!started.wake) return NoDescriptor(errno);
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return NoDescriptor(errno);
  started.output = Fd(ends[0]);
  const Fd program_output(ends[1]);
  // Only this end: the program's must block as programs expect.
  if (fcntl(started.output.get(), F_SETFL, O_NONBLOCK) != 0) return NoDescriptor(errno);
  const auto input = MakeInput(call.input);
  if (!input.ok()) return input.status();
  const int error = SpawnOrders(*input, program_output, call.directory).Spawn(call, started.pid);
  if (error != 0) return WhyNotStarted(call.path, error);
  started.pidfd = OpenPidfd(started.pid);
  if (!started.pidfd) {
    const int no_pidfd = errno;
    KillAndReap(started.pid);
    return NoDescriptor(no_pidfd);
  }
  return started;
}

}  // namespace pvebus
