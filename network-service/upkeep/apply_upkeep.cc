#include "network-service/upkeep/apply_upkeep.h"

#include <chrono>
#include <string>

namespace pvebus::network {

ApplyUpkeep::ApplyUpkeep(NetworkApplier& applier, Logger& logger, Duration pause)
    : applier_(applier), logger_(logger), pause_(pause) {}

void ApplyUpkeep::Stop() {
  thread_.request_stop();
  {
    MutexLock lock(mu_);
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void ApplyUpkeep::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void ApplyUpkeep::OnDeadline() {
  MutexLock lock(mu_);
  deadline_changed_ = true;
  changed_.NotifyAll();
}

void ApplyUpkeep::OnFiles() {
  MutexLock lock(mu_);
  files_changed_ = true;
  changed_.NotifyAll();
}

void ApplyUpkeep::Run(const std::stop_token& stop) {
  Recover(stop);
  while (WaitForWork(stop)) {
    absl::Status status;
    if (TakeFiles()) {
      status = applier_.NoticeOtherChanges(stop);
      if (!status.ok()) OnFiles();  // looked at again
    }
    status.Update(applier_.GoOn());
    if (!status.ok()) WaitAWhile(stop);
  }
}

void ApplyUpkeep::Recover(const std::stop_token& stop) {
  bool told = false;
  while (!stop.stop_requested()) {
    const absl::Status status = applier_.Recover();
    if (status.ok()) return;
    if (!told) logger_.Error("message=\"what an earlier process left cannot be read: %s\"", std::string(status.message()));
    told = true;
    WaitAWhile(stop);
  }
}

bool ApplyUpkeep::WaitForWork(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto deadline = applier_.NextDeadline();
    if (deadline && *deadline <= std::chrono::steady_clock::now()) return true;
    MutexLock lock(mu_);
    if (files_changed_) return true;
    if (deadline_changed_ || stop.stop_requested()) {
      deadline_changed_ = false;
    } else if (deadline) {
      changed_.WaitUntil(mu_, *deadline);
    } else {
      changed_.Wait(mu_);
    }
  }
  return false;
}

void ApplyUpkeep::WaitAWhile(const std::stop_token& stop) {
  const SteadyTime until = std::chrono::steady_clock::now() + pause_;
  MutexLock lock(mu_);
  while (!stop.stop_requested() && changed_.WaitUntil(mu_, until)) {
  }
}

bool ApplyUpkeep::TakeFiles() {
  MutexLock lock(mu_);
  const bool changed = files_changed_;
  files_changed_ = false;
  return changed;
}

}  // namespace pvebus::network
