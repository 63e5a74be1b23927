#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "bus-service/core/event_id.h"
#include "bus-service/store/sqlite_event_log.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"

namespace pvebus::bus {

// A durable journal in a directory, and the thread of its bus: every question waits for its answer.
class LogDriver {
 public:
  explicit LogDriver(std::string directory, std::string vfs = {}) : directory_(std::move(directory)), vfs_(std::move(vfs)) {}

  absl::Status Open(bool accept_data_loss = false, size_t max_bytes = size_t{1} << 40) {
    log_ = nullptr;
    posts_ = PostQueue();
    auto opened = SqliteEventLog::Open(directory_, max_bytes, posts_.Post(), logger_, accept_data_loss, vfs_);
    if (!opened.ok()) return opened.status();
    log_ = std::move(opened->log);
    recovery_ = std::move(opened->recovery);
    return absl::OkStatus();
  }
  void Shut() { log_ = nullptr; }
  SqliteEventLog& log() { return *log_; }
  const Recovery& recovery() const { return recovery_; }
  PostQueue& posts() { return posts_; }
  const std::string& directory() const { return directory_; }
  // How often a line that contains this was logged.
  int Logged(const std::string& text) const {
    MutexLock lock(logger_.mutex);
    return static_cast<int>(std::count_if(logger_.lines.begin(), logger_.lines.end(),
                                          [&](const std::string& line) { return line.find(text) != std::string::npos; }));
  }

  // Calls `ask` with what to call back, and runs what is posted until it has been.
  template <typename Result, typename Question>
  absl::StatusOr<Result> Answer(const std::string& what, Question ask) {
    std::optional<absl::StatusOr<Result>> answer;
    ask([&](absl::StatusOr<Result> result) { answer = std::move(result); });
    posts_.RunUntil(what, [&] { return answer.has_value(); });
    return *std::move(answer);
  }

  void Append(std::shared_ptr<Event> event) {
    ++appended_;
    log_->Append(std::move(event), [this](const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      ++acknowledged_;
    });
  }
  void AwaitAppends() {
    posts_.RunUntil("acknowledgements", [this] { return acknowledged_ == appended_; });
  }
  void Append(Sequence first, Sequence last, size_t body_bytes = 40) {
    for (Sequence sequence = first; sequence <= last; ++sequence) Append(MakeEvent(sequence, body_bytes));
    AwaitAppends();
  }
  absl::Status Sync() { return posts_.Sync(*log_); }

  absl::StatusOr<std::vector<EventPtr>> Read(Sequence from, size_t max_events = 1000, size_t max_bytes = 1 << 30) {
    return Answer<std::vector<EventPtr>>("a read", [&](auto done) { log_->Read(from, max_events, max_bytes, std::move(done)); });
  }
  // All of them, in pages.
  absl::StatusOr<std::vector<EventPtr>> ReadAll() {
    std::vector<EventPtr> all;
    for (;;) {
      auto page = Read(all.empty() ? 1 : all.back()->sequence + 1, 300);
      if (!page.ok()) return page.status();
      if (page->empty()) return all;
      all.insert(all.end(), page->begin(), page->end());
    }
  }
  absl::StatusOr<EventPtr> FindByEventId(const std::string& id) {
    return Answer<EventPtr>("an event by its id", [&](auto done) { log_->FindByEventId(id, std::move(done)); });
  }
  absl::StatusOr<EventPtr> FindByRequestId(const std::string& id) {
    return Answer<EventPtr>("an event by its request", [&](auto done) { log_->FindByRequestId(id, std::move(done)); });
  }
  absl::StatusOr<Sequence> FindByTime(SystemTime time) {
    return Answer<Sequence>("an event by its time", [&](auto done) { log_->FindByTime(time, std::move(done)); });
  }
  absl::StatusOr<std::vector<EventPtr>> ReadChildren(Sequence parent, size_t most) {
    return Answer<std::vector<EventPtr>>("children", [&](auto done) { log_->ReadChildren(parent, most, std::move(done)); });
  }
  absl::StatusOr<uint64_t> Count(Sequence from, Sequence to, std::function<bool(const Event&)> wanted) {
    return Answer<uint64_t>("a count", [&](auto done) { log_->Count(from, to, std::move(wanted), std::move(done)); });
  }
  absl::StatusOr<StateLog::Deliveries> ReadDeliveries(Sequence sequence) {
    return Answer<StateLog::Deliveries>("deliveries", [&](auto done) { log_->ReadDeliveries(sequence, std::move(done)); });
  }
  absl::StatusOr<std::vector<DeadLetter>> ReadDeadLetters(uint64_t after, size_t most = 1000, size_t max_bytes = 1 << 30) {
    return Answer<std::vector<DeadLetter>>("dead letters",
                                           [&](auto done) { log_->ReadDeadLetters(after, most, max_bytes, std::move(done)); });
  }
  absl::StatusOr<StateLog::Replays> ReadReplays(ListenerId listener, uint64_t after, size_t most = 1000,
                                                size_t max_bytes = 1 << 30) {
    return Answer<StateLog::Replays>("replays",
                                     [&](auto done) { log_->ReadReplays(listener, after, most, max_bytes, std::move(done)); });
  }
  struct Verified {
    uint64_t events = 0;
    std::vector<JournalProblem> problems;
  };
  Verified Verify() {
    Verified verified;
    bool ended = false;
    log_->Verify({}, [&](uint64_t checked, const std::vector<JournalProblem>& found, bool done) {
      EXPECT_GE(checked, verified.events);
      verified.events = checked;
      verified.problems.insert(verified.problems.end(), found.begin(), found.end());
      ended = done;
    });
    posts_.RunUntil("the end of a verification", [&] { return ended; });
    return verified;
  }

 private:
  struct LineLogger final : Logger {
    void Write(LogLevel, std::string_view line) override {
      MutexLock lock(mutex);
      lines.emplace_back(line);
    }
    mutable Mutex mutex;
    std::vector<std::string> lines ABSL_GUARDED_BY(mutex);
  };

  const std::string directory_;
  const std::string vfs_;
  LineLogger logger_;
  PostQueue posts_;
  uint64_t appended_ = 0;
  uint64_t acknowledged_ = 0;
  Recovery recovery_;
  std::unique_ptr<SqliteEventLog> log_;
};

inline std::vector<Sequence> SequencesOf(const std::vector<EventPtr>& events) {
  std::vector<Sequence> sequences;
  for (const EventPtr& event : events) sequences.push_back(event->sequence);
  return sequences;
}

}  // namespace pvebus::bus
