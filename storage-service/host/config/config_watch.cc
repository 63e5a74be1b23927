#include "storage-service/host/config/config_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "sdk/base/mutex.h"
#include "sdk/posix/file_notices.h"
#include "storage-service/host/config/watched_file.h"

namespace pvebus::storage {
namespace {

using Text = absl::StatusOr<std::string>;

// How long a file system is given before it is one that hangs.
constexpr std::chrono::milliseconds kPatience{200};

int Milliseconds(Duration duration) { return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count()); }

}  // namespace

struct ConfigWatch::State {
  State(std::string watched, OnText callback, Options given)
      : path(std::move(watched)), on_text(std::move(callback)), options(given), stop_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    // Without it the watch could never end in good order.
    if (stop_fd < 0) std::abort();
  }
  ~State() { close(stop_fd); }

  const std::string path;
  const OnText on_text;
  const Options options;
  const int stop_fd;
  std::thread thread;  // of the watch's owner

  Mutex mutex;
  CondVar changed;
  bool closed ABSL_GUARDED_BY(mutex) = false;
  bool in_file_system ABSL_GUARDED_BY(mutex) = false;
  bool ended ABSL_GUARDED_BY(mutex) = false;

  // False when the watch is closed.
  bool EnterFileSystem(bool enter) {
    MutexLock lock(mutex);
    in_file_system = enter;
    changed.NotifyAll();
    return !closed;
  }

  // Until the next look. False when the watch is closed.
  bool Wait(const FileNotices& notices) const {
    std::array<pollfd, 2> waited{{{stop_fd, POLLIN, 0}, {notices.fd(), POLLIN, 0}}};
    do {
      if (poll(waited.data(), waited.size(), Milliseconds(options.poll)) < 0 && errno == EINTR) continue;
      if (waited[0].revents != 0) return false;
    } while (waited[1].revents != 0 && !notices.Take());
    return waited[1].revents == 0 || Settle();
  }
  bool Settle() const {
    pollfd stop{stop_fd, POLLIN, 0};
    while (poll(&stop, 1, Milliseconds(options.settle)) < 0 && errno == EINTR) {
    }
    return stop.revents == 0;
  }
};

ConfigWatch::ConfigWatch(std::string path, OnText on_text, Options options)
    : state_(std::make_shared<State>(std::move(path), std::move(on_text), options)) {
  state_->thread = std::thread([state = state_] { Run(state); });
}

ConfigWatch::~ConfigWatch() {
  bool ended = false;
  {
    MutexLock lock(state_->mutex);
    state_->closed = true;
    eventfd_write(state_->stop_fd, 1);
    const SteadyTime patience_ends = RealClock().SteadyNow() + kPatience;
    while (!state_->ended) {
      if (!state_->in_file_system) {
        state_->changed.Wait(state_->mutex);
      } else if (!state_->changed.WaitUntil(state_->mutex, patience_ends)) {
        break;
      }
    }
    ended = state_->ended;
  }
  std::thread thread = std::move(state_->thread);
  if (ended) {
    thread.join();
  } else {
    thread.detach();
  }
}

void ConfigWatch::Run(const std::shared_ptr<State>& state) {
  std::optional<Text> last;
  bool open = true;
  while (open) {
    if (!state->EnterFileSystem(true)) break;
    // Anew for each look: what was noticed before is in what is read now.
    FileNotices notices;
    notices.Watch({std::filesystem::absolute(state->path).parent_path().string()}, {state->path});
    Text text = ReadWatchedFile(state->path, state->options.most_bytes);
    if (!state->EnterFileSystem(false)) break;
    if (!last || *last != text) {
      last = text;
      state->on_text(std::move(text));
    }
    open = state->Wait(notices);
  }
  MutexLock lock(state->mutex);
  state->ended = true;
  state->changed.NotifyAll();
}

}  // namespace pvebus::storage
