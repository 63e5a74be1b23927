#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "bus-service/store/memory_journal.h"

namespace pvebus::bus {

// A journal in memory whose disk is as slow or as broken as the test wants: by default everything is done during the call;
// held appends and reads wait until the test lets them go. One thread.
class FakeEventLog final : public EventLog, public StateLog {
 public:
  size_t max_bytes = size_t{1} << 30;
  bool hold_appends = false;
  bool hold_reads = false;    // of events
  bool hold_lookups = false;  // everything else that is read
  bool damaged = false;
  bool hold_durable = false;
  absl::Status read_status;  // what reads answer unless it is OK
  // The verification that was asked for last: it goes on when the test says so.
  std::stop_token verify_stop;
  VerifyProgress verify_progress;

  void Append(std::shared_ptr<Event> event, AppendDone done) override;
  void Read(Sequence from, size_t max_events, size_t max_bytes, ReadDone done) override;
  void FindByEventId(const std::string& event_id, FindDone done) override;
  void FindByRequestId(const std::string& request_id, FindDone done) override;
  void FindByTime(SystemTime time, SequenceDone done) override;
  void ReadChildren(Sequence parent, size_t max_events, ReadDone done) override;
  void Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted, CountDone done) override;
  void Verify(std::stop_token stop, VerifyProgress progress) override {
    verify_stop = std::move(stop);
    verify_progress = std::move(progress);
  }
  bool HasRoomFor(size_t bytes) const override { return bytes_ + bytes <= max_bytes; }
  std::optional<Chunk> OldestChunk() const override { return journal_.OldestChunk(); }
  void DropOldestChunk() override;
  bool read_only() const override { return damaged; }
  const LostRanges& lost() const override { return journal_.lost(); }
  Sequence first_sequence() const override { return journal_.first_sequence(); }
  Stats GetStats() const override;

  void SaveListener(ListenerId listener, const ListenerSnapshot& snapshot) override { journal_.SaveListener(listener, snapshot); }
  void SaveInterest(ListenerId listener, const Interest& interest) override { journal_.SaveInterest(listener, interest); }
  void SaveProgress(ListenerId listener, Progress progress) override { journal_.SaveProgress(listener, std::move(progress)); }
  void SaveDelivery(ListenerId listener, DeliveryRecord delivery) override {
    journal_.SaveDelivery(listener, std::move(delivery));
  }
  void SaveRedriven(ListenerId listener, DeliveryRecord delivery) override {
    journal_.SaveRedriven(listener, std::move(delivery));
  }
  void AddAttempt(ListenerId listener, Sequence sequence, AttemptRecord attempt) override {
    journal_.AddAttempt(listener, sequence, std::move(attempt));
  }
  void SaveDeadLetter(DeadLetter letter) override { journal_.SaveDeadLetter(std::move(letter)); }
  void RemoveDeadLetter(uint64_t id) override { journal_.RemoveDeadLetter(id); }
  void SaveReplays(std::vector<Replay> replays) override { journal_.SaveReplays(std::move(replays)); }
  void RemoveReplay(ListenerId listener, uint64_t number) override { journal_.RemoveReplay(listener, number); }
  void DropWaiting(ListenerId listener) override { journal_.DropWaiting(listener); }
  void DropListener(ListenerId listener) override { journal_.DropListener(listener); }
  void WhenDurable(std::function<void(absl::Status)> done) override {
    hold_durable ? durables_.push_back(std::move(done)) : journal_.WhenDurable(std::move(done));
  }
  void ReadDeliveries(Sequence sequence, DeliveriesDone done) override;
  void ReadDeadLetters(uint64_t after_id, size_t max_letters, size_t max_bytes, DeadLettersDone done) override;
  void ReadReplays(ListenerId listener, uint64_t after_number, size_t max_replays, size_t max_bytes, ReplaysDone done) override;

  // The oldest held appends succeed, at most so many.
  void CompleteAppends(size_t most = SIZE_MAX);
  // All held appends fail, newest first.
  void FailAppends(const absl::Status& status);
  // Whoever waits until something is durable is answered.
  void CompleteDurables(const absl::Status& status) {
    for (const auto& done : std::exchange(durables_, {})) done(status);
  }
  // All held reads answer with what is stored now.
  void CompleteReads();
  void CompleteLookups(size_t most = SIZE_MAX);
  void CompleteNewestLookup();

  size_t held_appends() const { return appends_.size(); }
  size_t held_reads() const { return reads_.size(); }
  size_t held_lookups() const { return lookups_.size(); }
  int reads() const { return read_count_; }
  MemoryJournal& journal() { return journal_; }

 private:
  struct HeldAppend {
    std::shared_ptr<Event> event;
    AppendDone done;
  };

  void LookUp(std::function<void()> lookup);

  MemoryJournal journal_{SIZE_MAX};
  size_t bytes_ = 0;  // held ones included
  std::deque<HeldAppend> appends_;
  std::vector<std::function<void()>> reads_;
  std::deque<std::function<void()>> lookups_;
  std::vector<std::function<void(absl::Status)>> durables_;
  int read_count_ = 0;
};

}  // namespace pvebus::bus
