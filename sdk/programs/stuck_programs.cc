#include "sdk/programs/stuck_programs.h"

#include <sys/wait.h>

#include <utility>

namespace pvebus {
namespace {

bool IsReaped(const Fd& pidfd) {
  siginfo_t info{};
  // Also when there is nothing to wait for.
  return waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG) != 0 || info.si_pid != 0;
}

}  // namespace

void StuckPrograms::Add(Fd pidfd) {
  const MutexLock lock(mu_);
  pidfds_.push_back(std::move(pidfd));
}

void StuckPrograms::Reap() {
  const MutexLock lock(mu_);
  std::erase_if(pidfds_, IsReaped);
}

}  // namespace pvebus
