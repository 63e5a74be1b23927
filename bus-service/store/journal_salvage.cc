#include "bus-service/store/journal_salvage.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/journal_builder.h"
#include "bus-service/store/journal_verification.h"
#include "bus-service/store/system_error.h"

namespace pvebus::bus {
namespace {

constexpr size_t kRowsAtOnce = 1000;
constexpr size_t kMaxLosses = 1000;   // each of them is a row; the last one says that there are more
constexpr size_t kMaxNamedGaps = 10;  // in an incident

// Those of the lost events that a listener with this progress had not settled.
std::vector<Gap> UnsettledOf(const Progress& progress, const std::vector<Gap>& lost) {
  std::vector<Gap> missing;
  const auto add = [&](Sequence first, Sequence last) {
    if (!missing.empty() && missing.back().last + 1 == first) {
      missing.back().last = last;
    } else {
      missing.push_back({first, last});
    }
  };
  for (const Gap& gap : lost) {
    const auto& unsettled = progress.unsettled;
    const Sequence passed_end = std::min(gap.last + 1, progress.next_sequence);
    for (auto one = std::lower_bound(unsettled.begin(), unsettled.end(), gap.first); one != unsettled.end() && *one < passed_end;
         ++one) {
      add(*one, *one);
    }
    if (gap.last >= progress.next_sequence) add(std::max(gap.first, progress.next_sequence), gap.last);
  }
  return missing;
}

std::string InWords(const std::vector<Gap>& gaps) {
  std::string text;
  for (size_t i = 0; i < gaps.size() && i < kMaxNamedGaps; ++i) {
    absl::StrAppendFormat(&text, "%s%d", i == 0 ? "" : ", ", gaps[i].first);
    if (gaps[i].last > gaps[i].first) absl::StrAppendFormat(&text, "..%d", gaps[i].last);
  }
  if (gaps.size() > kMaxNamedGaps) absl::StrAppendFormat(&text, " and %d more ranges", gaps.size() - kMaxNamedGaps);
  return text;
}

// The listener does not get these events, and its history says so.
void GiveUp(const std::vector<Gap>& missing, Recovery::Listener& listener) {
  std::vector<Incident>& incidents = listener.snapshot.incidents;
  incidents.push_back({std::chrono::system_clock::now(), "DATA_LOSS",
                       absl::StrFormat("an operator accepted that the damaged journal lost events %s: what of them the listener "
                                       "wanted and had not settled never comes",
                                       InWords(missing)),
                       missing.front().first, missing.back().last});
  if (incidents.size() > kMaxIncidents) incidents.erase(incidents.begin());
  Progress& progress = listener.progress;
  const LostRanges lost(missing);
  std::erase_if(progress.unsettled, [&lost](Sequence sequence) { return lost.Contains(sequence); });
  // What is ahead is counted anew, without them.
  progress.ahead = 0;
  progress.counted_until = progress.next_sequence - 1;
}

// Copies what can be read of one journal into a new one.
class Copy {
 public:
  Copy(JournalFiles& files, JournalBuilder& builder) : files_(files), builder_(builder) {}

  absl::Status Run() {
    losses_ = files_.loaded.losses;
    for (const JournalProblem& problem : files_.loaded.problems) {
      // An event that cannot be read is among those that are missing in the copy.
      if (problem.part != "events") Lost(problem.part, 0, 0, problem.message);
    }
    state_ = files_.loaded.state;
    state_.last_sequence = std::max(state_.last_sequence, files_.loaded.recovery.last_sequence);
    if (files_.mark) {
      state_.last_sequence = std::max(state_.last_sequence, files_.mark->last_sequence);
      state_.commits = std::max(state_.commits, files_.mark->commits);
    }
    ++state_.commits;
    absl::Status status = CopyEvents();
    if (status.ok() && files_.tables) status = CopyListeners();
    if (status.ok() && files_.tables) status = CopyDeliveries();
    if (status.ok() && files_.tables) status = CopyDeadLetters();
    if (status.ok()) status = CopyLosses();
    if (status.ok()) status = builder_.Finish(state_);
    return status;
  }
  const std::vector<Loss>& losses() const { return losses_; }
  const JournalState& state() const { return state_; }

 private:
  void Lost(const std::string& part, Sequence first, Sequence last, const std::string& message) {
    if (losses_.size() > kMaxLosses) return;
    if (losses_.size() == kMaxLosses) return losses_.push_back({part, 0, 0, "and more", std::chrono::system_clock::now()});
    losses_.push_back({part, first, last, message, std::chrono::system_clock::now()});
  }
  void Lost(const absl::Status& status) {
    const JournalProblem problem = ProblemOf(status);
    Lost(problem.part, 0, 0, problem.message);
  }

  // Events that are not there any more are one loss per run.
  void LostEvents(Sequence first, Sequence end) {
    if (first >= end) return;
    lost_events_.push_back({first, end - 1});
    losses_.push_back(
        {"events", first, end - 1, absl::StrFormat("events %d..%d", first, end - 1), std::chrono::system_clock::now()});
  }

  absl::Status CopyEvents() {
    const LostRanges& lost = files_.loaded.lost;
    Sequence next = lost.Skip(std::max<Sequence>(state_.first_sequence, 1));
    absl::Status written;
    for (Sequence from = next; files_.tables && from <= state_.last_sequence && written.ok(); from += kSegmentEvents) {
      ScanEvents(
          *files_.tables, lost, from, std::min(from + kSegmentEvents - 1, state_.last_sequence),
          [&](const std::shared_ptr<Event>& event, int64_t) {
            if (event->sequence != next) LostEvents(next, event->sequence);
            if (written.ok()) written = builder_.Add(*event);
            state_.last_publish_time = ToNanos(event->publish_time);
            next = lost.Skip(event->sequence + 1);
          },
          [](const absl::Status&) {});
    }
    LostEvents(next, state_.last_sequence + 1);
    return written;
  }

  absl::Status CopyListeners() {
    for (Recovery::Listener& listener : files_.tables->listeners.Load([this](const auto& status) { Lost(status); })) {
      if (const auto missing = UnsettledOf(listener.progress, lost_events_); !missing.empty()) GiveUp(missing, listener);
      listeners_.insert(listener.id);
      state_.last_listener_id = std::max(state_.last_listener_id, listener.id);
      JournalTables& to = builder_.tables();
      absl::Status status = to.listeners.PutListener(listener.id, listener.snapshot);
      for (const Interest& interest : listener.interests) status.Update(to.listeners.PutInterest(listener.id, interest));
      status.Update(to.listeners.PutProgress(listener.id, listener.progress));
      if (!status.ok()) return status;
    }
    absl::Status written;
    const auto read = files_.tables->deliveries.ForEachReplay([&](const absl::StatusOr<Replay>& replay) {
      if (!replay.ok()) return Lost(replay.status());
      state_.last_replay_number = std::max(state_.last_replay_number, replay->number);
      if (listeners_.contains(replay->listener)) written.Update(builder_.tables().deliveries.PutReplay(*replay));
    });
    if (!read.ok()) Lost(read);
    return written;
  }

  absl::Status CopyDeliveries() {
    DeliveryRows::Place place;
    absl::Status written;
    for (bool more = true; more && written.ok();) {
      auto scanned = files_.tables->deliveries.Scan(place, kRowsAtOnce, 0, [&](const auto& delivery) {
        if (!delivery.ok()) return Lost(delivery.status());
        if (listeners_.contains(delivery->first))
          written.Update(builder_.tables().deliveries.Put(delivery->first, delivery->second));
      });
      if (!scanned.ok()) Lost(scanned.status());
      more = scanned.ok() && *scanned;
      if (written.ok()) written = builder_.Breathe();
    }
    return written;
  }

  absl::Status CopyDeadLetters() {
    std::vector<uint64_t> ids;
    auto keys = files_.tables->dead_letters.ForEachKey([&](uint64_t id, ListenerId, uint64_t) { ids.push_back(id); });
    if (!keys.ok()) Lost(keys);
    state_.dead_letters = 0;
    for (const uint64_t id : ids) {
      auto letter = files_.tables->dead_letters.Get(id);
      if (!letter.ok()) {
        Lost(letter.status());
        continue;
      }
      state_.last_dead_letter_id = std::max(state_.last_dead_letter_id, id);
      if (!letter->event || !listeners_.contains(letter->listener)) continue;
      auto added = builder_.tables().dead_letters.Put(*letter);
      if (!added.ok()) return added.status();
      ++state_.dead_letters;
      if (auto status = builder_.Breathe(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status CopyLosses() {
    for (const Loss& loss : losses_) {
      if (auto status = builder_.tables().losses.Put(loss); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  JournalFiles& files_;
  JournalBuilder& builder_;
  JournalState state_;
  std::vector<Loss> losses_;
  std::vector<Gap> lost_events_;  // now; ascending
  std::set<ListenerId> listeners_;
};

// The first free name for what is put aside.
std::string NameAside(const std::string& path) {
  std::string name = path + ".damaged";
  for (int number = 2; access(name.c_str(), F_OK) == 0; ++number) name = absl::StrFormat("%s.damaged-%d", path, number);
  return name;
}

absl::Status PutInPlace(const std::string& directory, const std::string& fresh) {
  const std::string path = directory + "/journal.db";
  const std::string aside = NameAside(path);
  if (link(path.c_str(), aside.c_str()) != 0 && errno != ENOENT) return SystemError("keeping", path, errno);
  if (rename((path + "-wal").c_str(), (aside + "-wal").c_str()) != 0 && errno != ENOENT) {
    return SystemError("keeping", path + "-wal", errno);
  }
  std::error_code ignored;
  std::filesystem::remove(path + "-shm", ignored);
  if (rename(fresh.c_str(), path.c_str()) != 0) return SystemError("putting in place", path, errno);
  return SyncDirectory(directory);
}

}  // namespace

bool NeedsSalvage(JournalFiles& files) {
  if (!files.tables || !files.loaded.problems.empty()) return true;
  JournalVerification verification(files.loaded.state.last_sequence, files.loaded.lost);
  while (!verification.Step(*files.tables)) {
  }
  const std::vector<JournalProblem> problems = verification.TakeProblems();
  files.loaded.problems.insert(files.loaded.problems.end(), problems.begin(), problems.end());
  return !problems.empty();
}

absl::Status Salvage(JournalFiles files, const std::string& directory, const std::string& vfs, Logger& logger) {
  if (files.tables) LeaveAsItIs(*files.tables->database);
  const std::string fresh = directory + "/journal.db.new";
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(fresh + suffix, ignored);
  JournalState state;
  size_t losses = 0;
  {
    auto builder = JournalBuilder::Create(fresh, vfs);
    if (!builder.ok()) return builder.status();
    Copy copy(files, **builder);
    if (auto status = copy.Run(); !status.ok()) return status;
    state = copy.state();
    losses = copy.losses().size();
  }
  files.tables = nullptr;
  if (auto status = PutInPlace(directory, fresh); !status.ok()) return status;
  if (auto status = files.mark_file->WriteAndSync({state.last_sequence, state.commits}); !status.ok()) return status;
  logger.Warning("journal_salvaged losses=%d last_sequence=%d the operator accepted that data is lost", losses,
                 state.last_sequence);
  return absl::OkStatus();
}

}  // namespace pvebus::bus
