#pragma once

#include <functional>
#include <memory>
#include <string>

namespace pvebus::service {

// Blocks SIGTERM and SIGINT in this thread and every thread started later. Call first in main.
void BlockStopSignals();
// Waits for one of them and returns its name. Requires: BlockStopSignals.
std::string WaitForStopSignal();

// A thread that calls `on_stop(signal)` once when one arrives. Destroying it ends the wait. Requires: BlockStopSignals.
class StopSignalThread {
 public:
  explicit StopSignalThread(std::function<void(const std::string&)> on_stop);
  ~StopSignalThread();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pvebus::service
