#include "migration-service/upkeep/report_upkeep.h"

#include <chrono>
#include <string>

namespace pvebus::migration {
namespace {

constexpr std::chrono::seconds kEvery{1};

}  // namespace

ReportUpkeep::ReportUpkeep(MigrationState& state, Logger& logger)
    : state_(state), logger_(logger), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ReportUpkeep::~ReportUpkeep() {
  thread_.request_stop();
  MutexLock lock(mu_);
  changed_.NotifyAll();
}

void ReportUpkeep::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const SteadyTime until = std::chrono::steady_clock::now() + kEvery;
      MutexLock lock(mu_);
      while (!stop.stop_requested() && changed_.WaitUntil(mu_, until)) {
      }
    }
    Keep();
  }
  // What was reported while it kept the others.
  Keep();
}

void ReportUpkeep::Keep() {
  const absl::Status status = state_.KeepReports();
  if (!status.ok() && !failing_) logger_.Error("message=\"reports are not kept: %s\"", std::string(status.message()));
  failing_ = !status.ok();
}

}  // namespace pvebus::migration
