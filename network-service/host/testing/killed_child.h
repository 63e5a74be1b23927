#pragma once

#include <functional>

namespace pvebus::network {

enum class ChildEnd { kKilled, kDone, kNotTraceable };

// Runs `work` in a child process and kills it at its system call number `call`, before the kernel looks at it (even numbers) or
// after it is done (odd ones). Requires: this process has one thread.
ChildEnd RunAndKillAt(int call, const std::function<void()>& work);

}  // namespace pvebus::network
