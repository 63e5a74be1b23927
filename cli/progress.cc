#include "cli/progress.h"

#include <chrono>

#include "absl/strings/str_format.h"

namespace pvebus::cli {

constexpr std::chrono::seconds kSilence{2};

Progress::Progress(std::string what, const Clock& clock, Console& console)
    : clock_(clock), console_(console), what_(std::move(what)) {
  if (console.err_is_terminal) thread_ = std::thread([this] { Run(); });
}

Progress::~Progress() {
  {
    MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Progress::Say(std::string what) {
  MutexLock lock(mutex_);
  what_ = std::move(what);
}

void Progress::Run() {
  const SteadyTime start = clock_.SteadyNow();
  SteadyTime next = start + kSilence;
  bool shown = false;
  MutexLock lock(mutex_);
  while (!done_) {
    if (changed_.WaitUntil(mutex_, next)) continue;
    shown = true;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(next - start).count();
    console_.err << absl::StrFormat("\r\x1b[K%s, %d s", what_, seconds) << std::flush;
    next += std::chrono::seconds(1);
  }
  if (shown) console_.err << "\r\x1b[K" << std::flush;
}

}  // namespace pvebus::cli
