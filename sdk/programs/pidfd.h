#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "sdk/posix/fd.h"

namespace pvebus {

// Of a process that is not reaped yet; closed when a program is started, and errno is set when there is none.
// Debian 12's <sys/pidfd.h> is not for C++: its functions do not link.
inline Fd OpenPidfd(pid_t pid) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace pvebus
