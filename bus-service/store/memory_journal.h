#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bus-service/core/event_log.h"
#include "bus-service/core/state_log.h"

namespace pvebus::bus {

// Events, listeners and dead letters in memory, bounded in bytes: nothing survives the process. Everything calls back during the
// call; a chunk is one event. The bus's thread only.
class MemoryJournal final : public EventLog, public StateLog {
 public:
  // Events and dead letters together are held to `max_bytes`.
  explicit MemoryJournal(size_t max_bytes) : max_bytes_(max_bytes) {}

  void Append(std::shared_ptr<Event> event, AppendDone done) override;
  void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) override;
  void FindByEventId(const std::string& event_id, FindDone done) override { done(Find(by_event_id_, event_id)); }
  void FindByRequestId(const std::string& request_id, FindDone done) override { done(Find(by_request_id_, request_id)); }
  bool MayHaveEventId(const std::string& event_id) const override { return by_event_id_.count(event_id) != 0; }
  bool MayHaveRequestId(const std::string& request_id) const override { return by_request_id_.count(request_id) != 0; }
  void FindByTime(SystemTime time, SequenceDone done) override;
  void ReadChildren(Sequence parent, size_t max_events, ReadDone done) override;
  void Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) override;
  void Verify(std::stop_token, VerifyProgress progress) override { progress(events_.size(), {}, true); }
  bool HasRoomFor(size_t bytes) const override { return event_bytes_ + letter_bytes_ + bytes <= max_bytes_; }
  std::optional<Chunk> OldestChunk() const override;
  void DropOldestChunk() override;
  bool read_only() const override { return false; }
  const LostRanges& lost() const override { return lost_; }
  Sequence first_sequence() const override { return events_.empty() ? 0 : events_.front()->sequence; }
  Stats GetStats() const override;

  void SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) override { listeners_[listener] = snapshot; }
  void SaveInterest(ListenerId listener, const Interest& interest) override { interests_[{listener, interest.after}] = interest; }
  void SaveProgress(ListenerId listener, Progress progress) override { progress_[listener] = std::move(progress); }
  void SaveDelivery(ListenerId listener, DeliveryRecord delivery) override;
  void SaveRedriven(ListenerId listener, DeliveryRecord delivery) override;
  void AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) override;
  void SaveDeadLetter(DeadLetter letter) override;
  void RemoveDeadLetter(uint64_t id) override;
  void SaveReplays(std::vector<Replay> replays) override;
  void RemoveReplay(ListenerId listener, uint64_t number) override { replays_.erase({listener, number}); }
  void DropWaiting(ListenerId listener) override;
  void DropListener(ListenerId listener) override;
  void WhenDurable(std::function<void(absl::Status)> done) override { done(absl::OkStatus()); }
  void ReadDeliveries(Sequence sequence, DeliveriesDone done) override;
  void ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) override;
  void ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes, ReplaysDone done) override;

  // What a bus that begins on it now would find.
  Recovery Recover() const;

 private:
  EventPtr At(Sequence sequence) const;
  EventPtr Find(const std::map<std::string, Sequence>& index, const std::string& id) const;

  const size_t max_bytes_;
  const LostRanges lost_;
  std::deque<EventPtr> events_;  // without a gap
  size_t event_bytes_ = 0;
  size_t letter_bytes_ = 0;
  Sequence last_sequence_ = 0;
  SystemTime last_publish_time_;
  std::map<std::string, Sequence> by_event_id_;
  std::map<std::string, Sequence> by_request_id_;

  std::map<ListenerId, ListenerSnapshot> listeners_;
  std::map<std::pair<ListenerId, Sequence>, Interest> interests_;
  std::map<ListenerId, Progress> progress_;
  std::map<std::pair<Sequence, ListenerId>, DeliveryRecord> deliveries_;
  std::map<uint64_t, DeadLetter> dead_letters_;
  std::map<std::pair<ListenerId, uint64_t>, Replay> replays_;
  ListenerId last_listener_id_ = 0;
  uint64_t last_dead_letter_id_ = 0;
  uint64_t last_replay_number_ = 0;
};

}  // namespace pvebus::bus
