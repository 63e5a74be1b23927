#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/apply_store.h"
#include "network-service/store/apply_tables.h"
#include "sdk/base/mutex.h"
#include "sdk/hooks/data_directory.h"
#include "sdk/sqlite/database.h"

namespace pvebus::network {

// A store in the file state/network.db of the data directory; the folder `state` is its alone. Any thread; one call at a time.
class SqliteApplyStore final : public ApplyStore {
 public:
  // Keeps `history_limit` applies that are over and of which the bus need not hear any more. Errors as DataDirectory::Take and
  // ApplySchema.
  static absl::StatusOr<std::unique_ptr<SqliteApplyStore>> Open(const std::string& data_directory, size_t history_limit);

  absl::Status Add(ApplyRecord& record, const std::vector<NoticeKind>& notices,
                   const std::optional<KnownConfiguration>& known) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Update(const ApplyRecord& record, const std::vector<NoticeKind>& notices,
                      const std::optional<KnownConfiguration>& known) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::vector<ApplyRecord>> List(int64_t before, size_t limit) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::optional<ApplyRecord>> Find(const std::string& apply_id) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::optional<ApplyRecord>> FindRequest(const std::string& request_id) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::vector<ApplyRecord>> UnderWay() override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::optional<KnownConfiguration>> Known() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutKnown(const KnownConfiguration& known) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::vector<Notice>> Notices() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveNotice(int64_t number) override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<std::vector<Publication>> Publications(const std::string& apply_id) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status PutPublishResult(const std::string& apply_id, NoticeKind kind, const std::string& result) override
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  SqliteApplyStore(std::unique_ptr<hooks::DataDirectory> directory, std::unique_ptr<SqliteDatabase> database,
                   size_t history_limit);

  // Puts what an apply brings with it.
  absl::Status PutConsequences(const std::string& apply_id, const std::vector<NoticeKind>& notices,
                               const std::optional<KnownConfiguration>& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Advised(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  template <typename Value>
  absl::StatusOr<Value> Advised(absl::StatusOr<Value> value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<hooks::DataDirectory> directory_;  // given back last
  const size_t history_limit_;

  Mutex mu_;
  const std::unique_ptr<SqliteDatabase> database_ ABSL_PT_GUARDED_BY(mu_);
  ApplyTables tables_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::network
