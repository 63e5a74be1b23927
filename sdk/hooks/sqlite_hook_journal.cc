#include "sdk/hooks/sqlite_hook_journal.h"

#include "sdk/hooks/hook_schema.h"

namespace pvebus::hooks {
namespace {

constexpr char kFileName[] = "hooks.db";
constexpr size_t kMaxUnsaved = 10'000;
constexpr std::chrono::seconds kRetryAfter{1};
constexpr std::chrono::minutes kSayAgainAfter{1};

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteHookJournal>> SqliteHookJournal::Open(const SqliteHookJournalOptions& options,
                                                                           const Clock& clock, Logger& logger) {
  std::unique_ptr<SqliteHookJournal> journal(new SqliteHookJournal(options, clock, logger));
  if (absl::Status status = journal->Start(options); !status.ok()) {
    return WithAdvice(status, options.directory + "/" + kFileName);
  }
  return journal;
}

SqliteHookJournal::SqliteHookJournal(const SqliteHookJournalOptions& options, const Clock& clock, Logger& logger)
    : clock_(clock), logger_(logger), history_(options.limits.executions) {}

absl::Status SqliteHookJournal::Start(const SqliteHookJournalOptions& options) {
  auto directory = DataDirectory::Take(options.directory);
  if (!directory.ok()) return directory.status();
  directory_ = *std::move(directory);
  const auto path = directory_->MakeFile(kFileName);
  if (!path.ok()) return path.status();
  auto database = SqliteDatabase::Open(*path, options.vfs);
  if (!database.ok()) return database.status();
  database_ = *std::move(database);
  if (absl::Status status = PrepareHookSchema(*database_, options.program); !status.ok()) return status;
  if (absl::Status status = database_->CheckStructure(); !status.ok()) return status;
  auto tables = HookTables::Open(*database_, options.limits);
  if (!tables.ok()) return tables.status();
  tables_ = *std::move(tables);
  auto recovered = tables_->Load();
  if (!recovered.ok()) return recovered.status();
  history_.Restore(std::move(recovered->executions), recovered->last_execution_id, std::move(recovered->counts));
  kept_ = std::move(recovered->kept);
  auto lookup = SuccessLookup::Open(*path, options.vfs);
  if (!lookup.ok()) return lookup.status();
  MutexLock lock(lookup_mu_);
  lookup_ = *std::move(lookup);
  return absl::OkStatus();
}

SqliteHookJournal::~SqliteHookJournal() {
  MutexLock lock(mu_);
  if (!unsaved_.empty()) WriteUnsaved();
}

SucceededHooks SqliteHookJournal::SucceededFor(const std::string& event_id) {
  SucceededHooks hooks;
  {
    MutexLock lock(mu_);
    for (const HookWrite& write : unsaved_) {
      if (write.run.event_id != event_id) continue;
      for (const HookRecord& record : write.run.records) {
        if (write.run.Succeeded(record)) hooks.try_emplace(record.SuccessName(), write.run.attempt);
      }
    }
  }
  absl::StatusOr<SucceededHooks> saved;
  {
    MutexLock lock(lookup_mu_);
    saved = lookup_->Find(event_id);
  }
  if (saved.ok()) {
    saved->merge(hooks);
    return *std::move(saved);
  }
  logger_.Error("hook_history=unreadable event_id=%s message=\"%s\"", event_id, saved.status().message());
  return hooks;
}

void SqliteHookJournal::Record(const ChainRun& run) {
  if (run.records.empty()) return;
  MutexLock lock(mu_);
  Save({.run = run, .executions = history_.Record(run)});
}

size_t SqliteHookJournal::Clear() {
  MutexLock lock(mu_);
  const size_t cleared = history_.Clear();
  Save({.clear_up_to = history_.last_execution_id()});
  return cleared;
}

void SqliteHookJournal::ForgetStatistics(const std::string& hook) {
  MutexLock lock(mu_);
  history_.ForgetStatistics(hook);
  Save({.forget_hook = hook});
}

absl::Status SqliteHookJournal::state() const {
  MutexLock lock(mu_);
  return state_;
}

void SqliteHookJournal::Save(HookWrite write) {
  unsaved_.push_back(std::move(write));
  const uint64_t number = saved_or_lost_ + unsaved_.size();
  while (tried_ < number) {
    if (writing_) {
      tried_more_.Wait(mu_);
    } else if (!state_.ok() && clock_.SteadyNow() < next_try_) {
      return;
    } else {
      WriteUnsaved();
    }
  }
}

void SqliteHookJournal::WriteUnsaved() {
  writing_ = true;
  std::vector<const HookWrite*> batch;  // stays where it is: others only append meanwhile
  for (const HookWrite& write : unsaved_) batch.push_back(&write);
  const uint64_t last = saved_or_lost_ + batch.size();
  mu_.Unlock();
  const absl::Status status = tables_->Write(batch);
  mu_.Lock();
  writing_ = false;
  tried_ = last;
  const size_t drop = status.ok() ? batch.size() : unsaved_.size() - std::min(unsaved_.size(), kMaxUnsaved);
  if (!status.ok()) lost_ += drop;
  unsaved_.erase(unsaved_.begin(), unsaved_.begin() + static_cast<std::ptrdiff_t>(drop));
  saved_or_lost_ += drop;
  Note(status);
  tried_more_.NotifyAll();
}

void SqliteHookJournal::Note(const absl::Status& status) {
  const bool changed = status.ok() != state_.ok();
  state_ = status;
  if (status.ok()) {
    if (changed) logger_.Info("hook_history=saved_again lost=%d", lost_);
    return;
  }
  const SteadyTime now = clock_.SteadyNow();
  next_try_ = now + kRetryAfter;
  if (!changed && now < say_again_) return;
  say_again_ = now + kSayAgainAfter;
  logger_.Error("hook_history=not_saved unsaved=%d lost=%d message=\"%s; going on in memory, trying again\"", unsaved_.size(),
                lost_, status.message());
}

}  // namespace pvebus::hooks
