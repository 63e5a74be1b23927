#include "sdk/service/stop_signal.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <utility>

namespace pvebus::service {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

std::string SignalName(int signal) { return signal == SIGTERM ? "SIGTERM" : "SIGINT"; }

}  // namespace

void BlockStopSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

std::string WaitForStopSignal() {
  const sigset_t signals = StopSignals();
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  return SignalName(signal);
}

struct StopSignalThread::State {
  int signal_fd = -1;
  int end_fd = -1;
  std::thread thread;
};

StopSignalThread::StopSignalThread(std::function<void(const std::string&)> on_stop) : state_(std::make_unique<State>()) {
  const sigset_t signals = StopSignals();
  state_->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  state_->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // Without them nobody could ever stop the program in good order.
  if (state_->signal_fd < 0 || state_->end_fd < 0) std::abort();

  state_->thread = std::thread([signal_fd = state_->signal_fd, end_fd = state_->end_fd, on_stop = std::move(on_stop)] {
    std::array<pollfd, 2> waited{{{signal_fd, POLLIN, 0}, {end_fd, POLLIN, 0}}};
    while (true) {
      if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) std::abort();
      if (waited[1].revents != 0) return;
      signalfd_siginfo info;
      if (read(signal_fd, &info, sizeof info) != sizeof info) continue;
      on_stop(SignalName(static_cast<int>(info.ssi_signo)));
      return;
    }
  });
}

StopSignalThread::~StopSignalThread() {
  const uint64_t one = 1;
  if (write(state_->end_fd, &one, sizeof one) != sizeof one) std::abort();
  state_->thread.join();
  close(state_->signal_fd);
  close(state_->end_fd);
}

}  // namespace pvebus::service
