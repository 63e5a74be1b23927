#include "container-service/host/spool/spool_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <utility>

#include "container-service/host/spool/spool_errors.h"
#include "container-service/host/spool/spool_file.h"

namespace pvebus::container {

absl::StatusOr<std::unique_ptr<SpoolWatch>> SpoolWatch::Create(const std::string& path, std::function<void()> on_new) {
  const int notices = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (notices < 0) return SpoolUnusable("watching", path, errno);
  const int watch = inotify_add_watch(notices, path.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
  const int stop = watch < 0 ? -1 : eventfd(0, EFD_CLOEXEC);
  if (stop < 0) {
    absl::Status status = SpoolUnusable("watching", path, errno);
    close(notices);
    return status;
  }
  return std::unique_ptr<SpoolWatch>(new SpoolWatch(notices, stop, std::move(on_new)));
}

SpoolWatch::SpoolWatch(int notices, int stop, std::function<void()> on_new)
    : notices_(notices), stop_(stop), on_new_(std::move(on_new)), thread_([this] { Run(); }) {}

SpoolWatch::~SpoolWatch() {
  eventfd_write(stop_, 1);
  thread_.join();
  close(stop_);
  close(notices_);
}

void SpoolWatch::Run() {
  for (;;) {
    std::array<pollfd, 2> waited{{{stop_, POLLIN, 0}, {notices_, POLLIN, 0}}};
    if (poll(waited.data(), waited.size(), -1) < 0) continue;
    if (waited[0].revents != 0) return;
    if (TakeNotices()) on_new_();
  }
}

bool SpoolWatch::TakeNotices() const {
  alignas(inotify_event) std::array<char, 64 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer;
  bool any = false;
  for (ssize_t got = read(notices_, buffer.data(), buffer.size()); got > 0; got = read(notices_, buffer.data(), buffer.size())) {
    for (size_t at = 0; at < static_cast<size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* name = buffer.data() + at + sizeof(event);  // ends with a zero
      // Too many came at once for the kernel's queue: which, nobody knows.
      const bool lost_some = (event.mask & IN_Q_OVERFLOW) != 0;
      any = any || lost_some || (event.len > 0 && IsSpoolFileName(name));
      at += sizeof(event) + event.len;
    }
  }
  return any;
}

}  // namespace pvebus::container
