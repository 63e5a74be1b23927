#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply_store.h"
#include "sdk/client/outbox.h"

namespace pvebus::network {

// The notices of the store, as an Outbox publishes them. Owned by main. Any thread.
class NoticeOutbox final : public client::OutboxStore {
 public:
  // Requires: `store` outlives it.
  explicit NoticeOutbox(ApplyStore& store) : store_(store) {}

  absl::StatusOr<std::vector<client::OutboxEntry>> Entries() override;
  absl::Status Remove(const std::string& key) override;

 private:
  ApplyStore& store_;
};

}  // namespace pvebus::network
