#include "network-service/host/watch/configuration_watch.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "network-service/core/errors.h"
#include "network-service/host/files/file_names.h"
#include "sdk/posix/poll_timeout.h"

namespace pvebus::network {
namespace {

using std::chrono::steady_clock;

}  // namespace

absl::StatusOr<std::unique_ptr<ConfigurationWatch>> ConfigurationWatch::Create(const Options& options,
                                                                               std::function<void()> on_change) {
  FileNotices notices;
  if (notices.fd() < 0) return ConfigurationUnwatchable(options.etc_network, errno);
  Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return ConfigurationUnwatchable(options.etc_network, errno);
  return std::unique_ptr<ConfigurationWatch>(
      new ConfigurationWatch(options, std::move(notices), std::move(wake), std::move(on_change)));
}

ConfigurationWatch::ConfigurationWatch(const Options& options, FileNotices notices, Fd wake, std::function<void()> on_change)
    : options_(options), on_change_(std::move(on_change)), wake_(std::move(wake)), notices_(std::move(notices)) {
  WatchAgain();
  thread_ = std::thread([this] { Run(); });
}

ConfigurationWatch::~ConfigurationWatch() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void ConfigurationWatch::SetFolders(std::vector<std::string> folders) {
  std::erase_if(folders, [this](const std::string& folder) { return folder == options_.etc_network || folder == InterfacesD(); });
  std::sort(folders.begin(), folders.end());
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  {
    const MutexLock lock(mu_);
    if (folders_ == folders) return;
    folders_ = std::move(folders);
    new_folders_ = true;
  }
  eventfd_write(wake_.get(), 1);
}

void ConfigurationWatch::Run() {
  while (!Stopping()) {
    if (!AwaitChange(SteadyTime::max())) continue;
    const SteadyTime at_most = steady_clock::now() + options_.at_most;
    while (steady_clock::now() < at_most && AwaitChange(std::min(steady_clock::now() + options_.quiet, at_most))) {
    }
    if (Stopping()) return;
    // Before they are read: what happens meanwhile is told again.
    WatchAgain();
    on_change_();
  }
}

bool ConfigurationWatch::AwaitChange(SteadyTime deadline) {
  for (;;) {
    std::array<pollfd, 2> waited{{{wake_.get(), POLLIN, 0}, {notices_.fd(), POLLIN, 0}}};
    const int ready = poll(waited.data(), waited.size(), PollTimeout(deadline));
    if (ready == 0) return false;
    if (ready < 0) continue;
    if (waited[0].revents != 0) {
      eventfd_t ignored = 0;
      eventfd_read(wake_.get(), &ignored);
      return TakeNewFolders();
    }
    if (notices_.Take(CountsAsConfiguration)) return true;
  }
}

void ConfigurationWatch::WatchAgain() {
  std::vector<std::string> watched = {options_.etc_network, InterfacesD()};
  {
    const MutexLock lock(mu_);
    watched.insert(watched.end(), folders_.begin(), folders_.end());
  }
  notices_.Watch(watched);
}

bool ConfigurationWatch::Stopping() {
  const MutexLock lock(mu_);
  return stopping_;
}

bool ConfigurationWatch::TakeNewFolders() {
  const MutexLock lock(mu_);
  return std::exchange(new_folders_, false);
}

}  // namespace pvebus::network
