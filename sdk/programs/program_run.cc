#include "sdk/programs/program_run.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "sdk/posix/poll_timeout.h"

namespace pvebus {
namespace {

// What is killed and did not end by then, the kernel holds.
constexpr Duration kKilledEndsWithin = std::chrono::seconds(5);

}  // namespace

ProgramRun::ProgramRun(StartedProgram program, SteadyTime deadline, const Limits& limits, StuckPrograms& stuck)
    : program_(std::move(program)),
      deadline_(deadline),
      kill_after_(limits.kill_after),
      stuck_(stuck),
      tail_(limits.most_output_bytes) {}

ProgramResult ProgramRun::Run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [fd = program_.wake.get()] { eventfd_write(fd, 1); });
  while (!IsOver()) {
    Poll();
    if (IsOver()) break;
    if (phase_ == Phase::kRunning && stop.stop_requested()) Interrupt(ProgramResult::End::kStopped);
    if (std::chrono::steady_clock::now() >= deadline_) OnDeadline();
  }
  // What it left behind after a normal end is its own affair. Before it is reaped, when its group's number is surely still its
  // own.
  if (phase_ != Phase::kRunning) kill(-program_.pid, SIGKILL);
  ReadRest();
  ProgramResult result;
  Reap(result);
  result.output = tail_.bytes();
  result.output_bytes = tail_.total_bytes();
  return result;
}

bool ProgramRun::IsOver() const {
  switch (phase_) {
    case Phase::kRunning:
    case Phase::kKilled:
      return exited_;
    case Phase::kToldToEnd:
      // Who still holds the pipe is of its group, as a rule, and has its time to end, too.
      return exited_ && !program_.output;
    case Phase::kLeft:
      return true;
  }
  return true;
}

void ProgramRun::Poll() {
  // poll() leaves negative descriptors out.
  std::array<pollfd, 3> polled{{{program_.output.get(), POLLIN, 0},
                                {exited_ ? -1 : program_.pidfd.get(), POLLIN, 0},
                                {phase_ == Phase::kRunning ? program_.wake.get() : -1, POLLIN, 0}}};
  if (poll(polled.data(), polled.size(), PollTimeout(deadline_)) <= 0) return;
  if (polled[0].revents != 0) ReadOutput(buffer_.size());
  if (polled[1].revents != 0) exited_ = true;
}

// Once: what never stops writing must not keep us from looking at the time. False: there was nothing.
bool ProgramRun::ReadOutput(size_t most_bytes) {
  const ssize_t got = read(program_.output.get(), buffer_.data(), std::min(most_bytes, buffer_.size()));
  if (got > 0) {
    tail_.Append({buffer_.data(), static_cast<size_t>(got)});
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) program_.output.Close();
  return false;
}

// What is in the pipe now, and not until its end: others may hold it for long, and may write without end.
void ProgramRun::ReadRest() {
  int waiting = 0;
  if (!program_.output || ioctl(program_.output.get(), FIONREAD, &waiting) != 0) return;
  const uint64_t end = tail_.total_bytes() + static_cast<uint64_t>(std::max(waiting, 0));
  while (tail_.total_bytes() < end && ReadOutput(end - tail_.total_bytes())) {
  }
}

void ProgramRun::Interrupt(ProgramResult::End why) {
  interrupted_ = why;
  phase_ = Phase::kToldToEnd;
  deadline_ = std::chrono::steady_clock::now() + kill_after_;
  kill(-program_.pid, SIGTERM);
}

void ProgramRun::OnDeadline() {
  switch (phase_) {
    case Phase::kRunning:
      return Interrupt(ProgramResult::End::kTimedOut);
    case Phase::kToldToEnd:
      phase_ = Phase::kKilled;
      deadline_ = std::chrono::steady_clock::now() + kKilledEndsWithin;
      kill(-program_.pid, SIGKILL);
      return;
    case Phase::kKilled:
      phase_ = Phase::kLeft;
      return;
    case Phase::kLeft:
      return;
  }
}

void ProgramRun::Reap(ProgramResult& result) {
  if (!exited_) {
    stuck_.Add(std::move(program_.pidfd));
    result.end = interrupted_;
    result.message = "did not end although it was killed: the kernel holds it, as it does for a disk or a server that is gone";
    return;
  }
  siginfo_t info{};
  int reaped = 0;
  do {
    reaped = waitid(P_PIDFD, static_cast<id_t>(program_.pidfd.get()), &info, WEXITED);
  } while (reaped != 0 && errno == EINTR);
  assert(reaped == 0);  // nobody else waits for it
  const bool by_signal = info.si_code != CLD_EXITED;
  result.exit_code = by_signal ? 128 + info.si_status : info.si_status;
  result.end = phase_ != Phase::kRunning ? interrupted_
               : by_signal               ? ProgramResult::End::kSignalled
                                         : ProgramResult::End::kExited;
}

}  // namespace pvebus
