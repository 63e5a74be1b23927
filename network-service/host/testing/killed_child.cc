#include "network-service/host/testing/killed_child.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pvebus::network {
namespace {

[[noreturn]] void BeChild(const std::function<void()>& work) {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
  raise(SIGSTOP);
  work();
  _exit(0);
}

ChildEnd Reap(pid_t child, ChildEnd end) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return end;
}

}  // namespace

ChildEnd RunAndKillAt(int call, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) BeChild(work);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return ChildEnd::kNotTraceable;
  for (int stop = 0; stop <= call; ++stop) {
    if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) return Reap(child, ChildEnd::kNotTraceable);
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return ChildEnd::kDone;
  }
  return Reap(child, ChildEnd::kKilled);
}

}  // namespace pvebus::network
