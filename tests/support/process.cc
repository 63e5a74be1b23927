#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"

extern char** environ;

namespace pvebus::testing {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

}  // namespace

Process::Process(std::vector<std::string> arguments) {
  int out[2];
  int error[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) Die("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error[1], STDERR_FILENO);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  errno = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  if (errno != 0) Die("cannot start " + arguments[0]);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(error[1]);
  MutexLock lock(mutex_);
  out_.reader = std::thread([this, fd = out[0]] { Collect(fd, &Process::out_); });
  error_.reader = std::thread([this, fd = error[0]] { Collect(fd, &Process::error_); });
}

Process::~Process() {
  if (!exit_code_) {
    Signal(SIGKILL);
    WaitExit(std::chrono::seconds(30));
  }
  std::thread readers[2];
  {
    MutexLock lock(mutex_);
    readers[0] = std::move(out_.reader);
    readers[1] = std::move(error_.reader);
  }
  for (auto& reader : readers) reader.join();
}

void Process::Collect(int fd, Stream Process::*stream) {
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    MutexLock lock(mutex_);
    if (count > 0) (this->*stream).text.append(buffer, static_cast<size_t>(count));
    if (count <= 0) --open_streams_;
    changed_.NotifyAll();
    if (count <= 0) break;
  }
  close(fd);
}

bool Process::FindLine(const std::string& text, const std::string& prefix, std::string* rest) const {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) return false;
    if (text.compare(begin, prefix.size(), prefix) == 0) {
      *rest = text.substr(begin + prefix.size(), end - begin - prefix.size());
      return true;
    }
    begin = end + 1;
  }
  return false;
}

absl::StatusOr<std::string> Process::WaitForLine(const std::string& prefix, std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  std::string rest;
  MutexLock lock(mutex_);
  for (;;) {
    if (FindLine(out_.text, prefix, &rest) || FindLine(error_.text, prefix, &rest)) return rest;
    if (open_streams_ == 0) {
      return absl::UnavailableError(
          absl::StrFormat("waited for a line '%s...', the program ended: %s%s", prefix, out_.text, error_.text));
    }
    if (!changed_.WaitUntil(mutex_, deadline) && std::chrono::steady_clock::now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrFormat("waited %d ms for a line '%s...', got: %s%s", timeout.count(), prefix, out_.text, error_.text));
    }
  }
}

void Process::Signal(int signal) const {
  if (!exit_code_) kill(pid_, signal);
}

std::optional<int> Process::WaitExit(std::chrono::milliseconds timeout) {
  if (exit_code_) return exit_code_;
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd < 0) Die("pidfd_open");
  pollfd waiting{pidfd, POLLIN, 0};
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  int ready = -1;
  do {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
  } while (ready < 0 && errno == EINTR);
  close(pidfd);
  if (ready != 1) return std::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) Die("waitpid");
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // What it said last is collected too, unless a child of it holds the pipes.
  MutexLock lock(mutex_);
  const SteadyTime collected = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (open_streams_ > 0 && (changed_.WaitUntil(mutex_, collected) || std::chrono::steady_clock::now() < collected)) {
  }
  return exit_code_;
}

std::string Process::StandardOutput() const {
  MutexLock lock(mutex_);
  return out_.text;
}

std::string Process::StandardError() const {
  MutexLock lock(mutex_);
  return error_.text;
}

std::string Process::StatusField(const char* name) const {
  std::ifstream file(absl::StrFormat("/proc/%d/status", pid_));
  const std::string prefix = absl::StrFormat("%s:", name);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, prefix.size(), prefix) == 0) return line.substr(prefix.size());
  }
  return "0";
}

size_t Process::ResidentBytes() const { return std::strtoull(StatusField("VmRSS").c_str(), nullptr, 10) * 1024; }

int Process::ThreadCount() const { return std::atoi(StatusField("Threads").c_str()); }

std::string ProgramPath(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(PVEBUS_PROGRAM_DIR) / name;
  if (!std::filesystem::exists(path)) {
    std::fprintf(stderr, "%s has not been built\n", path.c_str());
    std::abort();
  }
  return path.string();
}

}  // namespace pvebus::testing
