#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "storage-service/core/storage_board.h"
#include "storage-service/core/storage_vlan_manager.h"

namespace pvebus::storage {

// What is done in the background. Any thread; may block.
struct UpkeepDuties {
  // StorageBoard::Refresh; no ids: all.
  std::function<StorageBoard::Outcome(const std::vector<std::string>& storage_ids, std::stop_token stop)> refresh;
  // The ids of the storages that reach a server.
  std::function<std::vector<std::string>()> network_storages;
  // StorageVlanManager::OnLinksChanged.
  std::function<std::vector<VlanReport>()> repair_vlans;
};

struct UpkeepLimits {
  Duration refresh_interval{};  // of all storages, and of VLANs; 0: never by itself
  // Links change in bursts, where containers come and go all the time: their checks begin no sooner after each other.
  Duration link_refresh_pause = std::chrono::seconds(10);
  // How long links must be quiet before VLANs are put right: whoever rebuilds the network shall not be disturbed. Where they
  // never are, ten times that is waited.
  Duration repair_delay{};
};

// Keeps what is known of storages fresh and their VLANs in order when no event says so: after a time, when storage.cfg or links
// changed. Checks wait for servers that hang, repairs of VLANs on another thread do not. One log line per change of state.
// Owned by main. Any thread.
class StorageUpkeep {
 public:
  // Begins at once, with nothing to do. Requires: `logger`, and what the duties refer to, outlive it.
  StorageUpkeep(UpkeepDuties duties, UpkeepLimits limits, Logger& logger);
  // Asks the check under way to stop and waits for it.
  ~StorageUpkeep();
  StorageUpkeep(const StorageUpkeep&) = delete;
  StorageUpkeep& operator=(const StorageUpkeep&) = delete;

  // storage.cfg has new or changed storages (StorageBoard::SetConfig's).
  void OnConfigChanged(const std::vector<std::string>& storage_ids) ABSL_LOCKS_EXCLUDED(mu_);
  // Links changed, came or went.
  void OnLinksChanged() ABSL_LOCKS_EXCLUDED(mu_);
  // Puts VLANs right without waiting for quiet.
  void RepairNow() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Check {
    bool all = false;
    bool network = false;
    std::set<std::string> storage_ids;
  };

  void RunChecks(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);
  void RunRepairs(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);
  void RepairWhenQuiet() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: it is over.
  bool WaitForRepair(const std::stop_token& stop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next check, when its time has come; with nothing in it when it is over.
  Check WaitForCheck(const std::stop_token& stop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Check TakeDue(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DoCheck(const Check& check, const std::stop_token& stop);
  void WakeAll() ABSL_LOCKS_EXCLUDED(mu_);

  const UpkeepDuties duties_;
  const UpkeepLimits limits_;
  Logger& logger_;

  Mutex mu_;
  CondVar changed_;
  std::set<std::string> changed_storages_ ABSL_GUARDED_BY(mu_);
  bool check_links_ ABSL_GUARDED_BY(mu_) = false;
  SteadyTime repair_ ABSL_GUARDED_BY(mu_) = SteadyTime::max();         // when VLANs are put right; max: all is said to be right
  SteadyTime latest_repair_ ABSL_GUARDED_BY(mu_) = SteadyTime::max();  // however restless the links are
  SteadyTime next_round_ ABSL_GUARDED_BY(mu_);                         // when all are checked; max: never
  SteadyTime next_link_check_ ABSL_GUARDED_BY(mu_);                    // not before
  std::jthread checks_;                                                // last: they end before the others go
  std::jthread repairs_;
};

}  // namespace pvebus::storage
