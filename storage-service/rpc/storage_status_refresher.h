#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sdk/hooks/hook_chain.h"
#include "storage-service/core/storage_board.h"
#include "storage-service/core/storage_state.h"

namespace pvebus::storage {

// What the hook `storage-status-refresher` works with. Any thread.
struct StatusRefreshing {
  // The storages as they were at their last check, in the order of storage.cfg.
  std::function<std::vector<StorageStatus>()> storages;
  // StorageBoard::Refresh; never with no ids.
  std::function<StorageBoard::Outcome(const std::vector<std::string>& storage_ids, const std::string& parent_event_id,
                                      std::stop_token stop)>
      refresh;
  // Publishes what is new now, waiting a little for it (Outbox::PublishNow).
  std::function<absl::Status(std::stop_token stop)> announce;
  std::chrono::milliseconds probe_limit{};
};

// The hook `storage-status-refresher`: checks exactly those network storages that an applied network can touch, and the storage
// whose VLAN came into being. A detail tells of each network storage, also of those that are left alone, and why. A storage that
// is in error is a result and no failure. Changes of state are published before the hook ends, caused by the event.
hooks::Hook StorageStatusRefresher(StatusRefreshing refreshing);

}  // namespace pvebus::storage
