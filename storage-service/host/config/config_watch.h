#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/base/clock.h"

namespace pvebus::storage {

// Watches one file, such as /etc/pve/storage.cfg: its kernel tells of changes made on this node, and a look now and then finds
// those of other nodes, of which pmxcfs tells nobody. Has a thread of its own, the only one that waits when the file system
// hangs. Owned by main. One thread.
class ConfigWatch {
 public:
  struct Options {
    Duration settle = std::chrono::milliseconds(50);  // after a notice, before the file is read: who writes it may not be done
    Duration poll = std::chrono::seconds(10);         // without a notice
    size_t most_bytes = size_t{1} << 20;              // Proxmox VE's limit for a file in /etc/pve
  };
  // The text, or as ReadWatchedFile why there is none.
  using OnText = std::function<void(absl::StatusOr<std::string>)>;

  // `on_text` is called on the watch's thread, once at the beginning and then when the text or the error is another.
  ConfigWatch(std::string path, OnText on_text, Options options);
  ConfigWatch(std::string path, OnText on_text) : ConfigWatch(std::move(path), std::move(on_text), Options()) {}
  // Waits for a call of `on_text` that runs; there is none afterwards. Does not wait for a file system that hangs: the thread is
  // left to it then, and ends when it answers.
  ~ConfigWatch();
  ConfigWatch(const ConfigWatch&) = delete;
  ConfigWatch& operator=(const ConfigWatch&) = delete;

 private:
  struct State;
  static void Run(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;  // the thread's, too
};

}  // namespace pvebus::storage
