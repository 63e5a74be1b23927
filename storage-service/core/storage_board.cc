#include "storage-service/core/storage_board.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/base/nearest.h"
#include "storage-service/core/storage_values.h"

namespace pvebus::storage {
namespace {

StorageStatus NotCheckedYet(Storage storage) { return {std::move(storage), StorageState::kUnknown, "not checked yet", {}}; }

absl::Status StorageNotFound(std::string_view storage_id, const std::vector<std::string>& known) {
  return MakeError(absl::StatusCode::kNotFound, "STORAGE_NOT_FOUND",
                   absl::StrFormat("storage.cfg has no storage %s%s", Quoted(storage_id), DidYouMean(storage_id, known)));
}

}  // namespace

StorageBoard::StorageBoard(std::string node, StorageProbe& probe, StorageStore& store, const Clock& clock,
                           std::function<void()> on_notice)
    : node_(std::move(node)), probe_(probe), store_(store), clock_(clock), on_notice_(std::move(on_notice)) {}

absl::Status StorageBoard::Restore() {
  MutexLock telling(telling_);
  auto told = store_.ToldStates();
  if (!told.ok()) return told.status();
  told_ = ToldStates(told->begin(), told->end());
  return absl::OkStatus();
}

std::vector<std::string> StorageBoard::SetConfig(StorageConfig config) {
  std::vector<std::string> changed;
  MutexLock telling(telling_);
  {
    MutexLock lock(mutex_);
    std::vector<Entry> entries;
    for (Storage& storage : config.storages) {
      const Entry* known = Find(storage.storage_id);
      if (known && known->status.storage == storage) {
        entries.push_back(*known);
      } else {
        changed.push_back(storage.storage_id);
        entries.push_back({NotCheckedYet(std::move(storage)), 0});
      }
    }
    entries_ = std::move(entries);
    warnings_ = std::move(config.warnings);
    config_error_.clear();
  }
  ForgetGone();
  return changed;
}

void StorageBoard::SetConfigError(std::string error) {
  MutexLock lock(mutex_);
  config_error_ = std::move(error);
}

StorageBoard::Listing StorageBoard::List() const {
  MutexLock lock(mutex_);
  Listing listing{.warnings = warnings_, .config_error = config_error_};
  for (const Entry& entry : entries_) listing.storages.push_back(entry.status);
  return listing;
}

absl::StatusOr<StorageStatus> StorageBoard::Get(std::string_view storage_id) const {
  MutexLock lock(mutex_);
  std::vector<std::string> known;
  for (const Entry& entry : entries_) {
    if (entry.status.storage.storage_id == storage_id) return entry.status;
    known.push_back(entry.status.storage.storage_id);
  }
  return StorageNotFound(storage_id, known);
}

StorageBoard::Outcome StorageBoard::Refresh(const std::vector<std::string>& storage_ids, std::string_view parent_event_id,
                                            const std::stop_token& stop) {
  const Check check = Begin(storage_ids);
  std::vector<StorageStatus> found = Measure(check.storages, stop);
  if (stop.stop_requested()) return {{}, absl::CancelledError("the check was stopped before its end")};
  Outcome outcome;
  bool noticed = false;
  {
    MutexLock telling(telling_);
    outcome.refreshed = Conclude(check, std::move(found));
    outcome.stored = Tell(check.number, parent_event_id, noticed);
  }
  if (noticed) on_notice_();
  return outcome;
}

StorageBoard::Check StorageBoard::Begin(const std::vector<std::string>& storage_ids) {
  const std::set<std::string> wanted(storage_ids.begin(), storage_ids.end());
  MutexLock lock(mutex_);
  Check check{++last_check_, {}};
  for (const Entry& entry : entries_) {
    const Storage& storage = entry.status.storage;
    if (wanted.empty() || wanted.contains(storage.storage_id)) check.storages.push_back(storage);
  }
  return check;
}

std::vector<StorageStatus> StorageBoard::Measure(const std::vector<Storage>& storages, const std::stop_token& stop) {
  std::vector<Storage> enabled;
  for (const Storage& storage : storages) {
    if (WhyDisabled(storage, node_).empty()) enabled.push_back(storage);
  }
  const SystemTime check_time = clock_.SystemNow();
  std::vector<Measurement> measured = enabled.empty() ? std::vector<Measurement>() : probe_.Measure(enabled, stop);
  measured.resize(enabled.size(), {.error = "it was not measured", .check_time = check_time});
  std::vector<StorageStatus> found;
  auto next = measured.begin();
  for (const Storage& storage : storages) {
    const bool disabled = !WhyDisabled(storage, node_).empty();
    found.push_back(JudgeStorage(storage, node_, disabled ? Measurement{.check_time = check_time} : std::move(*next++)));
  }
  return found;
}

std::vector<Refreshed> StorageBoard::Conclude(const Check& check, std::vector<StorageStatus> found) {
  std::vector<Refreshed> refreshed;
  MutexLock lock(mutex_);
  for (StorageStatus& status : found) {
    Entry* entry = Find(status.storage.storage_id);
    // Of what storage.cfg does not say any more nothing is known by this check.
    if (!entry || entry->status.storage != status.storage) continue;
    const StorageState before = entry->status.state;
    if (entry->check < check.number) *entry = {std::move(status), check.number};
    refreshed.push_back({before, entry->status});
  }
  return refreshed;
}

absl::Status StorageBoard::Tell(uint64_t check, std::string_view parent_event_id, bool& noticed) {
  std::vector<std::pair<std::string, StorageState>> states;
  std::vector<Notice> notices;
  {
    MutexLock lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.check == 0) continue;
      const std::string& id = entry.status.storage.storage_id;
      const auto told = told_.find(id);
      if (told != told_.end() && told->second == entry.status.state) continue;
      states.emplace_back(id, entry.status.state);
      if (told == told_.end()) continue;
      notices.push_back({.kind = Notice::Kind::kStatusChanged,
                         .storage_id = id,
                         .parent_event_id = entry.check == check ? std::string(parent_event_id) : "",
                         .time = clock_.SystemNow(),
                         .before = told->second,
                         .after = entry.status.state,
                         .reason = entry.status.reason});
    }
  }
  if (states.empty()) return absl::OkStatus();
  absl::Status stored = store_.PutToldStates(states, notices);
  if (!stored.ok()) return stored;
  for (const auto& [id, state] : states) told_[id] = state;
  noticed = !notices.empty();
  return absl::OkStatus();
}

void StorageBoard::ForgetGone() {
  std::set<std::string> known;
  {
    MutexLock lock(mutex_);
    for (const Entry& entry : entries_) known.insert(entry.status.storage.storage_id);
  }
  // What the store cannot forget now it is asked to forget with the next configuration.
  std::erase_if(told_, [&](const auto& told) { return !known.contains(told.first) && store_.ForgetToldState(told.first).ok(); });
}

StorageBoard::Entry* StorageBoard::Find(std::string_view storage_id) {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& entry) { return entry.status.storage.storage_id == storage_id; });
  return it == entries_.end() ? nullptr : &*it;
}

}  // namespace pvebus::storage
