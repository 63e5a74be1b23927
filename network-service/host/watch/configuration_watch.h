#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"
#include "sdk/posix/fd.h"
#include "sdk/posix/file_notices.h"

namespace pvebus::network {

// Tells that the files of the network configuration may have changed, whoever changed them: whoever is told reads them again.
// What came close together is told once, when there was quiet or after a while. Sees what happens in folders, not what is behind
// a link that leads out of them. Owned by main.
class ConfigurationWatch {
 public:
  struct Options {
    std::string etc_network = "/etc/network";  // and its interfaces.d; any of them may be missing, come and go
    Duration quiet = std::chrono::milliseconds(300);
    Duration at_most = std::chrono::seconds(2);
  };
  // Watches from before it returns. `on_change` is called on a thread of its own, without a lock, one call after the other.
  // FAILED_PRECONDITION CONFIGURATION_UNWATCHABLE.
  static absl::StatusOr<std::unique_ptr<ConfigurationWatch>> Create(const Options& options, std::function<void()> on_change);
  // Waits for a call that runs; there is none afterwards.
  ~ConfigurationWatch();
  ConfigurationWatch(const ConfigurationWatch&) = delete;
  ConfigurationWatch& operator=(const ConfigurationWatch&) = delete;

  // Where the configuration that was just read has files beside: from now on these are watched, too, instead of those before.
  // When they are others than before, a change is told: what happened in them since they were read, nobody saw. Any thread, also
  // in `on_change`.
  void SetFolders(std::vector<std::string> folders);

 private:
  ConfigurationWatch(const Options& options, FileNotices notices, Fd wake, std::function<void()> on_change);

  void Run();
  // True when something changed, false when nothing did until `deadline` or when it is time to stop.
  bool AwaitChange(SteadyTime deadline);
  void WatchAgain();
  bool Stopping();
  std::string InterfacesD() const { return options_.etc_network + "/interfaces.d"; }
  // Whether the folders have become others since this was asked.
  bool TakeNewFolders();

  const Options options_;
  const std::function<void()> on_change_;
  const Fd wake_;        // an eventfd
  FileNotices notices_;  // the thread's

  Mutex mu_;
  std::vector<std::string> folders_ ABSL_GUARDED_BY(mu_);
  bool new_folders_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace pvebus::network
