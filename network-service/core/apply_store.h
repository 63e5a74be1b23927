#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply.h"

namespace pvebus::network {

// The configuration that is in force, as far as the bus was told.
struct KnownConfiguration {
  std::string interfaces;  // as PrintInterfaces writes it
  std::string boot_id;     // of the boot in which it was learnt

  bool operator==(const KnownConfiguration&) const = default;
};

// Where applies are kept. Each call is one commit: when it returns OK, all of it is on the disk, else nothing of it. An error
// names the file and says what to do. Any thread.
class ApplyStore {
 public:
  virtual ~ApplyStore() = default;

  // A new one; its number is set. Forgets the oldest ones that are over and of which the bus need not hear any more, beyond the
  // store's limit.
  virtual absl::Status Add(ApplyRecord& record, const std::vector<NoticeKind>& notices,
                           const std::optional<KnownConfiguration>& known) = 0;
  // What it is now, and what the bus must hear of it. NOT_FOUND when there is none with its number.
  virtual absl::Status Update(const ApplyRecord& record, const std::vector<NoticeKind>& notices,
                              const std::optional<KnownConfiguration>& known) = 0;

  // Newest first, only with a number below `before` (0: all), at most `limit`.
  virtual absl::StatusOr<std::vector<ApplyRecord>> List(int64_t before, size_t limit) = 0;
  // Nothing: there is none. By apply_id, or by the request_id of who asked for it, or took it back.
  virtual absl::StatusOr<std::optional<ApplyRecord>> Find(const std::string& apply_id) = 0;
  virtual absl::StatusOr<std::optional<ApplyRecord>> FindRequest(const std::string& request_id) = 0;
  // Those that somebody has to go on with, oldest first.
  virtual absl::StatusOr<std::vector<ApplyRecord>> UnderWay() = 0;

  virtual absl::StatusOr<std::optional<KnownConfiguration>> Known() = 0;
  // Without an apply: at the very first start.
  virtual absl::Status PutKnown(const KnownConfiguration& known) = 0;

  // What the bus must still hear, in order.
  virtual absl::StatusOr<std::vector<Notice>> Notices() = 0;
  // The bus has taken it: it is no notice any more, but stays a publication.
  virtual absl::Status RemoveNotice(int64_t number) = 0;

  // All notices that there ever were of an apply, in order.
  virtual absl::StatusOr<std::vector<Publication>> Publications(const std::string& apply_id) = 0;
  virtual absl::Status PutPublishResult(const std::string& apply_id, NoticeKind kind, const std::string& result) = 0;
};

}  // namespace pvebus::network
