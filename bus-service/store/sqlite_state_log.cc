// What the durable journal keeps of listeners: their state, deliveries, dead letters and replays.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/sqlite_event_log.h"

namespace pvebus::bus {
namespace {

// Of a listener that is deleted, in one commit.
constexpr size_t kDropRows = 256;
constexpr uint64_t kDropBytes = 1 << 20;

}  // namespace

void SqliteEventLog::SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([listener, snapshot](JournalTables& tables, JournalState& state) {
    state.last_listener_id = std::max(state.last_listener_id, listener);
    return tables.listeners.PutListener(listener, snapshot);
  });
}

void SqliteEventLog::SaveInterest(ListenerId listener, const Interest& interest) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue(
      [listener, interest](JournalTables& tables, JournalState&) { return tables.listeners.PutInterest(listener, interest); });
}

void SqliteEventLog::SaveProgress(ListenerId listener, Progress progress) {
  if (read_only_ || !writer_) return;
  writer_->SaveProgress(listener, std::move(progress));
}

void SqliteEventLog::SaveDelivery(ListenerId listener, DeliveryRecord delivery) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([listener, delivery = std::move(delivery)](JournalTables& tables, JournalState& state) {
    // One of an event that is forgotten already would never be.
    return delivery.sequence < state.first_sequence ? absl::OkStatus() : tables.deliveries.Put(listener, delivery);
  });
}

void SqliteEventLog::SaveRedriven(ListenerId listener, DeliveryRecord delivery) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([listener, delivery = std::move(delivery)](JournalTables& tables, JournalState& state) {
    return delivery.sequence < state.first_sequence ? absl::OkStatus() : tables.deliveries.PutRedriven(listener, delivery);
  });
}

void SqliteEventLog::AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([listener, sequence, attempt = std::move(attempt)](JournalTables& tables, JournalState& state) {
    return sequence < state.first_sequence ? absl::OkStatus() : tables.deliveries.AddAttempt(listener, sequence, attempt);
  });
}

void SqliteEventLog::ForgetLetter(uint64_t id) {
  const auto found = dead_letters_.find(id);
  if (found == dead_letters_.end()) return;
  letter_bytes_ -= found->second.bytes;
  dead_letters_.erase(found);
}

void SqliteEventLog::ForgetLettersOf(ListenerId listener) {
  std::erase_if(dead_letters_, [this, listener](const auto& letter) {
    if (letter.second.listener != listener) return false;
    letter_bytes_ -= letter.second.bytes;
    return true;
  });
}

void SqliteEventLog::SaveDeadLetter(DeadLetter letter) {
  if (read_only_ || !writer_) return;
  ForgetLetter(letter.id);
  const LoadedJournal::LetterKey key{letter.listener, BytesOf(letter)};
  dead_letters_[letter.id] = key;
  letter_bytes_ += key.bytes;
  writer_->Enqueue([letter = std::move(letter)](JournalTables& tables, JournalState& state) {
    const auto added = tables.dead_letters.Put(letter);
    if (added.ok() && *added) ++state.dead_letters;
    state.last_dead_letter_id = std::max(state.last_dead_letter_id, letter.id);
    return added.status();
  });
}

void SqliteEventLog::RemoveDeadLetter(uint64_t id) {
  if (read_only_ || !writer_) return;
  ForgetLetter(id);
  writer_->Enqueue([id](JournalTables& tables, JournalState& state) {
    const auto removed = tables.dead_letters.Remove(id);
    if (removed.ok() && *removed) --state.dead_letters;
    return removed.status();
  });
}

void SqliteEventLog::SaveReplays(std::vector<Replay> replays) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue([replays = std::move(replays)](JournalTables& tables, JournalState& state) {
    for (const Replay& replay : replays) {
      state.last_replay_number = std::max(state.last_replay_number, replay.number);
      if (auto status = tables.deliveries.PutReplay(replay); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

void SqliteEventLog::RemoveReplay(ListenerId listener, uint64_t number) {
  if (read_only_ || !writer_) return;
  writer_->Enqueue(
      [listener, number](JournalTables& tables, JournalState&) { return tables.deliveries.RemoveReplay(listener, number); });
}

void SqliteEventLog::DropWaiting(ListenerId listener) {
  if (read_only_ || !writer_) return;
  ForgetLettersOf(listener);
  DropWaitingRows(listener, false);
}

void SqliteEventLog::DropListener(ListenerId listener) {
  if (read_only_ || !writer_) return;
  ForgetLettersOf(listener);
  writer_->ForgetProgress(listener);
  DropWaitingRows(listener, true);
}

void SqliteEventLog::DropWaitingRows(ListenerId listener, bool itself) {
  if (read_only_ || !writer_) return;
  // A commit for each step: publishes go on in between.
  const auto more = std::make_shared<bool>(false);
  writer_->Enqueue([listener, itself, more](JournalTables& tables, JournalState& state) {
    state.last_listener_id = std::max(state.last_listener_id, listener);
    const auto letters = tables.dead_letters.DropSome(listener, kDropRows, kDropBytes);
    if (!letters.ok()) return letters.status();
    state.dead_letters -= letters->count;
    const auto more_replays = tables.deliveries.DropReplays(listener, kDropRows);
    if (!more_replays.ok()) return more_replays.status();
    *more = letters->more || *more_replays;
    return *more || !itself ? absl::OkStatus() : tables.listeners.Drop(listener);
  });
  AwaitDropped(listener, itself, more);
}

void SqliteEventLog::AwaitDropped(ListenerId listener, bool itself, std::shared_ptr<bool> more) {
  if (read_only_ || !writer_) return;
  writer_->WhenDurable([this, listener, itself, more = std::move(more)](const absl::Status& status) {
    if (!status.ok()) return AwaitDropped(listener, itself, more);  // the writer tries the step again by itself
    if (*more) DropWaitingRows(listener, itself);
  });
}

void SqliteEventLog::WhenDurable(std::function<void(absl::Status)> done) {
  if (read_only_ || !writer_) return done(Unreadable());
  writer_->WhenDurable(std::move(done));
}

void SqliteEventLog::ReadDeliveries(Sequence sequence, DeliveriesDone done) {
  AskSaved<Deliveries>([sequence](JournalTables& tables) { return tables.deliveries.OfEvent(sequence); }, std::move(done));
}

void SqliteEventLog::ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) {
  std::vector<uint64_t> ids;
  size_t bytes = 0;
  for (auto letter = dead_letters_.upper_bound(after_id); letter != dead_letters_.end() && ids.size() < max_letters; ++letter) {
    bytes += letter->second.bytes;
    if (!ids.empty() && bytes > max_bytes) break;
    ids.push_back(letter->first);
  }
  if (ids.empty()) return done(reader_ ? absl::StatusOr<std::vector<DeadLetter>>(std::vector<DeadLetter>()) : Unreadable());
  AskSaved<std::vector<DeadLetter>>(
      [ids](JournalTables& tables) -> absl::StatusOr<std::vector<DeadLetter>> {
        std::vector<DeadLetter> letters;
        for (const uint64_t id : ids) {
          auto letter = tables.dead_letters.Get(id);
          if (!letter.ok()) return letter.status();
          if (letter->event) letters.push_back(*std::move(letter));
        }
        return letters;
      },
      [this, ids, max_letters, max_bytes, done = std::move(done)](absl::StatusOr<std::vector<DeadLetter>> letters) {
        size_t next = 0;
        for (const uint64_t id : ids) {
          if (!letters.ok() || letters->size() == ids.size()) break;
          if (next < letters->size() && (*letters)[next].id == id) {
            ++next;
          } else if (dead_letters_.contains(id)) {  // nobody has removed it meanwhile
            letters = Note(Damaged("dead_letters", 0, absl::StrFormat("dead letter %d is missing", id)));
          }
        }
        if (letters.ok()) {
          std::erase_if(*letters, [this](const DeadLetter& letter) { return !dead_letters_.contains(letter.id); });
          // All were removed while they were read: none does not mean that there are no more.
          if (letters->empty()) return ReadDeadLetters(ids.back(), max_letters, max_bytes, done);
        }
        done(std::move(letters));
      });
}

void SqliteEventLog::ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes,
                                 ReplaysDone done) {
  AskSaved<Replays>(
      [=](JournalTables& tables) -> absl::StatusOr<Replays> {
        auto replays = tables.deliveries.ReplaysAfter(listener, after_number, max_replays);
        if (!replays.ok()) return replays.status();
        Replays found;
        size_t bytes = 0;
        for (Replay& replay : *replays) {
          EventPtr event;
          if (replay.dead_letter_id != 0) {
            auto letter = tables.dead_letters.Get(replay.dead_letter_id);
            if (!letter.ok()) return letter.status();
            event = letter->event;
          } else {
            auto read = tables.events.Get(replay.sequence);
            if (!read.ok()) return read.status();
            event = *std::move(read);
          }
          bytes += event ? event->Bytes() : 0;
          if (!found.empty() && bytes > max_bytes) break;
          found.emplace_back(std::move(replay), std::move(event));
        }
        return found;
      },
      [this, done = std::move(done)](absl::StatusOr<Replays> replays) {
        for (size_t i = 0; replays.ok() && i < replays->size(); ++i) {
          const auto& [replay, event] = (*replays)[i];
          if (event) continue;
          if (replay.dead_letter_id != 0 && dead_letters_.contains(replay.dead_letter_id)) {
            replays = Note(Damaged("dead_letters", 0, absl::StrFormat("dead letter %d is missing", replay.dead_letter_id)));
          } else if (replay.dead_letter_id == 0 && IsThere(replay.sequence)) {
            replays = Note(Damaged("events", replay.sequence, absl::StrFormat("event %d is missing", replay.sequence)));
          }
        }
        done(std::move(replays));
      });
}

}  // namespace pvebus::bus
