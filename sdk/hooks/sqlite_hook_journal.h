#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/hooks/data_directory.h"
#include "sdk/hooks/hook_journal.h"
#include "sdk/hooks/hook_tables.h"

namespace pvebus::hooks {

struct SqliteHookJournalOptions {
  std::string directory;
  std::string program;  // whose history it is; that of another program is refused
  HookTableLimits limits;
  std::string vfs;  // for tests; empty for the system's
};

// A journal in the file hooks.db of a directory that it has for itself. Whoever records waits until that is committed; what
// several threads record at once shares a commit, which one of them makes. Lists and statistics are read from memory.
//
// While the disk is full or fails, recording goes on in memory: the log says so, again each minute, each second at most one
// event tries the disk again, and what was not written (of the last 10,000 runs) is written when it works again. A process that
// ends before has lost that: hooks may then run again for events that come again.
class SqliteHookJournal final : public HookJournal {
 public:
  // Errors as DataDirectory::Take and PrepareHookSchema. Requires: clock and logger outlive the journal.
  static absl::StatusOr<std::unique_ptr<SqliteHookJournal>> Open(const SqliteHookJournalOptions& options, const Clock& clock,
                                                                 Logger& logger);
  ~SqliteHookJournal() override;

  SucceededHooks SucceededFor(const std::string& event_id) override ABSL_LOCKS_EXCLUDED(mu_, lookup_mu_);
  void Record(const ChainRun& run) override ABSL_LOCKS_EXCLUDED(mu_);
  size_t Clear() override ABSL_LOCKS_EXCLUDED(mu_);
  void ForgetStatistics(const std::string& hook) override ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<bus::v1::HookExecution> Executions(const ExecutionQuery& query) const override {
    return history_.Executions(query);
  }
  bus::v1::HookStatistics StatisticsOf(const std::string& hook) const override { return history_.StatisticsOf(hook); }
  std::vector<std::pair<std::string, KeptValue>> Kept() const override { return kept_; }

  // OK, or why the last commit failed.
  absl::Status state() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  SqliteHookJournal(const SqliteHookJournalOptions& options, const Clock& clock, Logger& logger);
  absl::Status Start(const SqliteHookJournalOptions& options);
  // Waits until `write` was tried together with what came meanwhile.
  void Save(HookWrite write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WriteUnsaved() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Note(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  Logger& logger_;
  HookHistory history_;
  std::vector<std::pair<std::string, KeptValue>> kept_;  // constant after Start

  std::unique_ptr<DataDirectory> directory_;  // given back last
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<HookTables> tables_;  // used by the one thread for which writing_ is set

  mutable Mutex mu_;
  CondVar tried_more_;
  std::deque<HookWrite> unsaved_ ABSL_GUARDED_BY(mu_);  // oldest first
  uint64_t saved_or_lost_ ABSL_GUARDED_BY(mu_) = 0;     // writes that have left unsaved_
  uint64_t tried_ ABSL_GUARDED_BY(mu_) = 0;             // writes for which there was an attempt
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status state_ ABSL_GUARDED_BY(mu_);
  SteadyTime next_try_ ABSL_GUARDED_BY(mu_) = SteadyTime::min();
  SteadyTime say_again_ ABSL_GUARDED_BY(mu_) = SteadyTime::min();
  uint64_t lost_ ABSL_GUARDED_BY(mu_) = 0;  // writes that were given up

  Mutex lookup_mu_;  // held while the file is read: nothing but other look-ups waits for it
  std::unique_ptr<SuccessLookup> lookup_ ABSL_GUARDED_BY(lookup_mu_);
};

}  // namespace pvebus::hooks
