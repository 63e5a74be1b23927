#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "sdk/base/mutex.h"
#include "storage-service/core/kernel_network.h"
#include "storage-service/host/network/nft_rules.h"

namespace pvebus::storage {

// Isolation by nftables (libnftables), in our own table: nft_rules.h says how. Owned by main. Any thread. Additionally
// INVALID_ARGUMENT LINK_NAME_INVALID for a link whose name nft could misunderstand.
class NftIsolation final : public LinkIsolation {
 public:
  absl::StatusOr<std::optional<std::vector<IpPrefix>>> Read(const std::string& link) override;
  absl::Status Isolate(const std::string& link, const std::vector<IpPrefix>& subnets) override;
  absl::Status Release(const std::string& link) override;

 private:
  // Nothing when there is no table of ours.
  absl::StatusOr<std::optional<NftTable>> List() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What nft says to the commands; `doing` is for eyes.
  absl::StatusOr<std::string> Run(const std::string& commands, std::string_view doing) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // libnftables is for one thread, and what Release decides must hold until it is done.
  Mutex mutex_;
};

}  // namespace pvebus::storage
