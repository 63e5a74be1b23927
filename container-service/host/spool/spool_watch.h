#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace pvebus::container {

// Notices (inotify) that there is another event in the spool directory, whoever left it. What lay there before is not told of, so
// look once after it was made. Owned by main. One thread; `on_new` runs on the watch's own.
class SpoolWatch {
 public:
  // `on_new`: at least once after each new event, one call for several that came together. Requires: the directory is there, and
  // stays. PERMISSION_DENIED SPOOL_UNUSABLE.
  static absl::StatusOr<std::unique_ptr<SpoolWatch>> Create(const std::string& path, std::function<void()> on_new);
  // Waits for a call that runs; there is none afterwards.
  ~SpoolWatch();
  SpoolWatch(const SpoolWatch&) = delete;
  SpoolWatch& operator=(const SpoolWatch&) = delete;

 private:
  // Takes both.
  SpoolWatch(int notices, int stop, std::function<void()> on_new);

  void Run();
  // Takes what there is. False when none of it is about an event.
  bool TakeNotices() const;

  const int notices_;  // inotify
  const int stop_;     // eventfd
  const std::function<void()> on_new_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace pvebus::container
