#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"
#include "sdk/client/outbox.h"
#include "storage-service/core/notice.h"
#include "storage-service/core/storage_store.h"

namespace pvebus::storage {

// The event that a notice becomes. Pure.
event::v1::SystemEvent EventOf(const Notice& notice);

// The notices of the store, as an Outbox publishes them. Owned by main. Any thread.
class NoticeOutbox final : public client::OutboxStore {
 public:
  // Requires: `store` outlives it.
  explicit NoticeOutbox(StorageStore& store) : store_(store) {}

  absl::StatusOr<std::vector<client::OutboxEntry>> Entries() override;
  absl::Status Remove(const std::string& key) override;

 private:
  StorageStore& store_;
};

}  // namespace pvebus::storage
