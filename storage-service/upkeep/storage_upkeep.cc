#include "storage-service/upkeep/storage_upkeep.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/escaping.h"

namespace pvebus::storage {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// The next time something is done every `interval`.
SteadyTime After(Duration interval) { return interval == Duration{} ? SteadyTime::max() : Now() + interval; }

void Log(Logger& logger, const Refreshed& refreshed) {
  const StorageStatus& now = refreshed.now;
  if (now.state == refreshed.before) return;
  const std::string line =
      absl::StrFormat("storage=%s state=%s before=%s reason=\"%s\"", absl::CEscape(now.storage.storage_id),
                      StorageStateName(now.state), StorageStateName(refreshed.before), absl::CEscape(now.reason));
  logger.Write(now.state == StorageState::kError ? LogLevel::kWarning : LogLevel::kInfo, line);
}

void Log(Logger& logger, const VlanReport& report) {
  const bool failed = report.outcome == VlanReport::Outcome::kFailed;
  if (!failed && report.outcome != VlanReport::Outcome::kChanged) return;
  const std::string line = absl::StrFormat("vlan=%s storage=%s state=%s before=\"%s\" after=\"%s\" message=\"%s\"", report.link,
                                           report.storage_id, failed ? "failed" : "changed", absl::CEscape(report.before),
                                           absl::CEscape(report.after), absl::CEscape(report.message));
  logger.Write(failed ? LogLevel::kWarning : LogLevel::kInfo, line);
}

}  // namespace

StorageUpkeep::StorageUpkeep(UpkeepDuties duties, UpkeepLimits limits, Logger& logger)
    : duties_(std::move(duties)),
      limits_(limits),
      logger_(logger),
      next_round_(After(limits.refresh_interval)),
      checks_([this](const std::stop_token& stop) { RunChecks(stop); }),
      repairs_([this](const std::stop_token& stop) { RunRepairs(stop); }) {}

StorageUpkeep::~StorageUpkeep() {
  checks_.request_stop();
  repairs_.request_stop();
}

void StorageUpkeep::OnConfigChanged(const std::vector<std::string>& storage_ids) {
  MutexLock lock(mu_);
  changed_storages_.insert(storage_ids.begin(), storage_ids.end());
  changed_.NotifyAll();
}

void StorageUpkeep::OnLinksChanged() {
  MutexLock lock(mu_);
  check_links_ = true;
  RepairWhenQuiet();
}

void StorageUpkeep::RepairNow() {
  MutexLock lock(mu_);
  repair_ = latest_repair_ = Now();
  changed_.NotifyAll();
}

void StorageUpkeep::RepairWhenQuiet() {
  const SteadyTime now = Now();
  if (repair_ == SteadyTime::max()) latest_repair_ = now + 10 * limits_.repair_delay;
  repair_ = std::min({now + limits_.repair_delay, latest_repair_});
  changed_.NotifyAll();
}

void StorageUpkeep::WakeAll() {
  MutexLock lock(mu_);
  changed_.NotifyAll();
}

void StorageUpkeep::RunChecks(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { WakeAll(); });
  while (!stop.stop_requested()) {
    Check check;
    {
      MutexLock lock(mu_);
      check = WaitForCheck(stop);
    }
    DoCheck(check, stop);
  }
}

void StorageUpkeep::RunRepairs(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { WakeAll(); });
  while (!stop.stop_requested()) {
    {
      MutexLock lock(mu_);
      if (!WaitForRepair(stop)) return;
    }
    for (const VlanReport& report : duties_.repair_vlans()) Log(logger_, report);
  }
}

bool StorageUpkeep::WaitForRepair(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (Now() >= repair_) {
      repair_ = SteadyTime::max();
      return true;
    }
    if (repair_ == SteadyTime::max()) {
      changed_.Wait(mu_);
    } else {
      changed_.WaitUntil(mu_, repair_);
    }
  }
  return false;
}

StorageUpkeep::Check StorageUpkeep::WaitForCheck(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Check check = TakeDue(Now());
    if (check.all || check.network || !check.storage_ids.empty()) return check;
    const SteadyTime next = check_links_ ? std::min(next_round_, next_link_check_) : next_round_;
    if (next == SteadyTime::max()) {
      changed_.Wait(mu_);
    } else {
      changed_.WaitUntil(mu_, next);
    }
  }
  return {};
}

StorageUpkeep::Check StorageUpkeep::TakeDue(SteadyTime now) {
  Check check;
  check.all = now >= next_round_;
  check.network = check_links_ && now >= next_link_check_;
  check.storage_ids = std::exchange(changed_storages_, {});
  if (check.all) {
    next_round_ = After(limits_.refresh_interval);
    // No link tells when rules of isolation go, nor when a disk that was full has room again.
    if (repair_ == SteadyTime::max()) RepairWhenQuiet();
  }
  if (check.network) {
    check_links_ = false;
    next_link_check_ = now + limits_.link_refresh_pause;
  }
  return check;
}

void StorageUpkeep::DoCheck(const Check& check, const std::stop_token& stop) {
  std::set<std::string> storage_ids;
  if (!check.all) {
    storage_ids = check.storage_ids;
    if (check.network) {
      for (std::string& storage_id : duties_.network_storages()) storage_ids.insert(std::move(storage_id));
    }
    if (storage_ids.empty()) return;  // and not all of them
  }
  const StorageBoard::Outcome outcome = duties_.refresh({storage_ids.begin(), storage_ids.end()}, stop);
  if (stop.stop_requested()) return;
  for (const Refreshed& refreshed : outcome.refreshed) Log(logger_, refreshed);
  if (!outcome.stored.ok()) logger_.Error("states=not_stored message=\"%s\"", outcome.stored.message());
}

}  // namespace pvebus::storage
