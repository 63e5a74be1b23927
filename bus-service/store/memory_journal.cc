#include "bus-service/store/memory_journal.h"

#include <algorithm>
#include <cassert>

#include "bus-service/store/dead_letter_rows.h"

namespace pvebus::bus {

EventPtr MemoryJournal::At(Sequence sequence) const {
  if (events_.empty() || sequence < events_.front()->sequence || sequence > events_.back()->sequence) return nullptr;
  return events_[sequence - events_.front()->sequence];
}

EventPtr MemoryJournal::Find(const std::map<std::string, Sequence>& index, const std::string& id) const {
  const auto found = index.find(id);
  return found == index.end() ? nullptr : At(found->second);
}

void MemoryJournal::Append(std::shared_ptr<Event> event, AppendDone done) {
  assert(event->sequence == last_sequence_ + 1);
  last_sequence_ = event->sequence;
  last_publish_time_ = event->publish_time;
  event_bytes_ += event->Bytes();
  if (!event->event_id.empty()) by_event_id_[event->event_id] = event->sequence;
  if (!event->request_id.empty()) by_request_id_[event->request_id] = event->sequence;
  events_.push_back(std::move(event));
  done(absl::OkStatus());
}

void MemoryJournal::Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) {
  std::vector<EventPtr> events;
  size_t bytes = 0;
  for (Sequence next = std::max(from, first_sequence()); events.size() < max_events; ++next) {
    EventPtr event = At(next);
    if (!event) break;
    bytes += event->Bytes();
    if (!events.empty() && bytes > max_bytes) break;
    events.push_back(std::move(event));
  }
  done(std::move(events));
}

void MemoryJournal::FindByTime(SystemTime time, SequenceDone done) {
  const auto found =
      std::find_if(events_.begin(), events_.end(), [time](const EventPtr& event) { return event->publish_time >= time; });
  done(found == events_.end() ? last_sequence_ + 1 : (*found)->sequence);
}

void MemoryJournal::ReadChildren(Sequence parent, size_t max_events, ReadDone done) {
  std::vector<EventPtr> children;
  for (const EventPtr& event : events_) {
    if (children.size() == max_events) break;
    if (!event->ancestors.empty() && event->ancestors.back() == parent) children.push_back(event);
  }
  done(std::move(children));
}

void MemoryJournal::Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) {
  uint64_t count = 0;
  for (Sequence next = std::max(from, first_sequence()); next <= to; ++next) {
    const EventPtr event = At(next);
    if (!event) break;
    if (wanted(*event)) ++count;
  }
  done(count);
}

std::optional<EventLog::Chunk> MemoryJournal::OldestChunk() const {
  if (events_.empty()) return std::nullopt;
  const Event& oldest = *events_.front();
  return Chunk{oldest.sequence + 1, 1, oldest.Bytes(), oldest.publish_time};
}

void MemoryJournal::DropOldestChunk() {
  assert(!events_.empty());
  const EventPtr event = events_.front();
  events_.pop_front();
  event_bytes_ -= event->Bytes();
  // An id that was used again belongs to the newer event.
  if (const auto id = by_event_id_.find(event->event_id); id != by_event_id_.end() && id->second == event->sequence) {
    by_event_id_.erase(id);
  }
  if (const auto id = by_request_id_.find(event->request_id); id != by_request_id_.end() && id->second == event->sequence) {
    by_request_id_.erase(id);
  }
  deliveries_.erase(deliveries_.begin(), deliveries_.lower_bound({event->sequence + 1, 0}));
}

EventLog::Stats MemoryJournal::GetStats() const {
  Stats stats;
  stats.event_count = events_.size();
  stats.event_bytes = event_bytes_;
  stats.max_event_bytes = max_bytes_;
  stats.first_sequence = first_sequence();
  stats.last_sequence = last_sequence_;
  return stats;
}

void MemoryJournal::SaveDelivery(ListenerId listener, DeliveryRecord delivery) {
  const Sequence sequence = delivery.sequence;
  deliveries_[{sequence, listener}] = std::move(delivery);
}

void MemoryJournal::SaveRedriven(ListenerId listener, DeliveryRecord delivery) {
  DeliveryRecord& kept = deliveries_[{delivery.sequence, listener}];
  delivery.attempts = std::move(kept.attempts);
  kept = std::move(delivery);
}

void MemoryJournal::AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) {
  if (!At(sequence)) return;
  DeliveryRecord& kept = deliveries_[{sequence, listener}];
  kept.sequence = sequence;
  if (kept.instance_id.empty()) kept.instance_id = attempt.instance_id;
  AddNewest(kept.attempts, std::move(attempt));
}

void MemoryJournal::SaveDeadLetter(DeadLetter letter) {
  RemoveDeadLetter(letter.id);
  letter_bytes_ += BytesOf(letter);
  last_dead_letter_id_ = std::max(last_dead_letter_id_, letter.id);
  const uint64_t id = letter.id;
  dead_letters_[id] = std::move(letter);
}

void MemoryJournal::RemoveDeadLetter(uint64_t id) {
  const auto found = dead_letters_.find(id);
  if (found == dead_letters_.end()) return;
  letter_bytes_ -= BytesOf(found->second);
  dead_letters_.erase(found);
}

void MemoryJournal::SaveReplays(std::vector<Replay> replays) {
  for (Replay& replay : replays) {
    last_replay_number_ = std::max(last_replay_number_, replay.number);
    const std::pair key(replay.listener, replay.number);
    replays_[key] = std::move(replay);
  }
}

void MemoryJournal::DropListener(ListenerId listener) {
  DropWaiting(listener);
  last_listener_id_ = std::max(last_listener_id_, listener);
  listeners_.erase(listener);
  progress_.erase(listener);
  interests_.erase(interests_.lower_bound({listener, 0}), interests_.lower_bound({listener + 1, 0}));
}

void MemoryJournal::DropWaiting(ListenerId listener) {
  replays_.erase(replays_.lower_bound({listener, 0}), replays_.lower_bound({listener + 1, 0}));
  std::vector<uint64_t> letters;
  for (const auto& [id, letter] : dead_letters_) {
    if (letter.listener == listener) letters.push_back(id);
  }
  for (const uint64_t id : letters) RemoveDeadLetter(id);
}

void MemoryJournal::ReadDeliveries(Sequence sequence, DeliveriesDone done) {
  Deliveries deliveries;
  const auto end = deliveries_.lower_bound({sequence + 1, 0});
  for (auto entry = deliveries_.lower_bound({sequence, 0}); entry != end; ++entry) {
    deliveries.emplace_back(entry->first.second, entry->second);
  }
  done(std::move(deliveries));
}

void MemoryJournal::ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) {
  std::vector<DeadLetter> letters;
  size_t bytes = 0;
  for (auto entry = dead_letters_.upper_bound(after_id); entry != dead_letters_.end() && letters.size() < max_letters; ++entry) {
    bytes += BytesOf(entry->second);
    if (!letters.empty() && bytes > max_bytes) break;
    letters.push_back(entry->second);
  }
  done(std::move(letters));
}

void MemoryJournal::ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes,
                                ReplaysDone done) {
  Replays replays;
  size_t bytes = 0;
  const auto end = replays_.lower_bound({listener + 1, 0});
  for (auto entry = replays_.upper_bound({listener, after_number}); entry != end && replays.size() < max_replays; ++entry) {
    const Replay& replay = entry->second;
    const auto letter = dead_letters_.find(replay.dead_letter_id);
    EventPtr event = letter != dead_letters_.end() ? letter->second.event : At(replay.sequence);
    bytes += event ? event->Bytes() : 0;
    if (!replays.empty() && bytes > max_bytes) break;
    replays.emplace_back(replay, std::move(event));
  }
  done(std::move(replays));
}

Recovery MemoryJournal::Recover() const {
  Recovery recovery;
  recovery.last_sequence = last_sequence_;
  recovery.last_publish_time = last_publish_time_;
  recovery.newest.assign(events_.begin(), events_.end());
  recovery.last_listener_id = std::max(last_listener_id_, listeners_.empty() ? 0 : listeners_.rbegin()->first);
  recovery.last_dead_letter_id = last_dead_letter_id_;
  recovery.last_replay_number = last_replay_number_;
  for (const auto& [id, snapshot] : listeners_) {
    Recovery::Listener& listener = (snapshot.deleted_after ? recovery.former_listeners : recovery.listeners).emplace_back();
    listener.id = id;
    listener.snapshot = snapshot;
    for (auto entry = interests_.lower_bound({id, 0}); entry != interests_.end() && entry->first.first == id; ++entry) {
      listener.interests.push_back(entry->second);
    }
    if (const auto progress = progress_.find(id); progress != progress_.end()) listener.progress = progress->second;
    if (snapshot.deleted_after) continue;
    const std::vector<Sequence>& unsettled = listener.progress.unsettled;
    for (const auto& [key, delivery] : deliveries_) {
      if (key.second != id) continue;
      if (key.first >= listener.progress.next_sequence || std::binary_search(unsettled.begin(), unsettled.end(), key.first)) {
        listener.deliveries.push_back(delivery);
      }
    }
    for (const Sequence sequence : unsettled) {
      if (EventPtr event = At(sequence)) listener.unsettled.push_back(std::move(event));
    }
    for (const auto& [letter_id, letter] : dead_letters_) listener.dead_letter_count += letter.listener == id;
    for (auto entry = replays_.lower_bound({id, 0}); entry != replays_.end() && entry->first.first == id; ++entry) {
      ++listener.replay_count;
      if (entry->second.dead_letter_id == 0) continue;
      ++listener.redrive_count;
      listener.redrive_id = entry->second.replay_id;
    }
  }
  return recovery;
}

}  // namespace pvebus::bus
