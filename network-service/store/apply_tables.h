#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply_store.h"
#include "sdk/sqlite/database.h"

namespace pvebus::network {

// What the rows of network.db mean. One thread at a time; no transactions of its own. A row that means nothing is DATA_LOSS.
class ApplyTables {
 public:
  // Requires: outlives this, and has the tables of ApplySchema.
  explicit ApplyTables(SqliteDatabase& database) : database_(database) {}

  // Whether all rows mean something.
  absl::Status Check();

  // Newest first, with a number below `before`.
  absl::StatusOr<std::vector<ApplyRecord>> List(int64_t before, size_t limit);
  absl::StatusOr<std::optional<ApplyRecord>> Find(const std::string& apply_id);
  absl::StatusOr<std::optional<ApplyRecord>> FindRequest(const std::string& request_id);
  absl::StatusOr<std::vector<ApplyRecord>> UnderWay();
  // Its number: the next one when it has none yet. RequestIdInUse.
  absl::StatusOr<int64_t> Insert(const ApplyRecord& record);
  // NoSuchApply.
  absl::Status Remove(int64_t number);
  // All but the newest `limit` of those that are over and of which the bus need not hear any more, and their publications.
  absl::Status ForgetOldest(size_t limit);

  absl::StatusOr<std::optional<KnownConfiguration>> Known();
  absl::Status PutKnown(const KnownConfiguration& known);

  absl::StatusOr<std::vector<Notice>> Notices();
  absl::Status AddNotice(const std::string& apply_id, NoticeKind kind);
  absl::Status RemoveNotice(int64_t number);
  absl::StatusOr<std::vector<Publication>> Publications(const std::string& apply_id);
  absl::Status PutPublishResult(const std::string& apply_id, NoticeKind kind, const std::string& result);

 private:
  absl::StatusOr<std::optional<ApplyRecord>> FindOne(const char* sql, const std::string& id);
  absl::Status RunWith(const char* sql, const std::string& apply_id);

  SqliteDatabase& database_;
};

}  // namespace pvebus::network
