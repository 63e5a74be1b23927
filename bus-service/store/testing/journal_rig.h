#pragma once

#include <sqlite3.h>
#include <stdlib.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include "bus-service/core/event.h"
#include "bus-service/store/sqlite_event_log.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"

namespace pvebus::bus {

// A directory of its own for one test, gone with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "pvebus-store-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory " + name);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// What a crash at this moment leaves: the journal, its WAL and its mark as they are in the files, in a new directory.
inline void CopyJournal(const std::string& from, const std::string& to) {
  std::filesystem::create_directories(to);
  for (const char* name : {"journal.db", "journal.db-wal", "journal.mark"}) {
    std::filesystem::remove(to + "/" + name);
    if (std::filesystem::exists(from + "/" + name)) std::filesystem::copy_file(from + "/" + name, to + "/" + name);
  }
  std::filesystem::remove(to + "/journal.db-shm");
}

// The bus's thread of a test: what the writer posts waits until the test runs it.
class PostQueue {
 public:
  JournalWriter::Post Post() {
    return [shared = shared_](std::function<void()> function) {
      MutexLock lock(shared->mutex);
      shared->functions.push_back(std::move(function));
      shared->changed.NotifyAll();
    };
  }
  // Waits until something is there, without running it.
  void Await(const std::string& what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    MutexLock lock(shared_->mutex);
    while (shared_->functions.empty()) {
      if (!shared_->changed.WaitUntil(shared_->mutex, deadline) && shared_->functions.empty()) {
        throw std::runtime_error("waited in vain for " + what);
      }
    }
  }
  void RunOne(const std::string& what) {
    Await(what);
    std::function<void()> function;
    {
      MutexLock lock(shared_->mutex);
      function = std::move(shared_->functions.front());
      shared_->functions.pop_front();
    }
    function();
  }
  template <typename Done>
  void RunUntil(const std::string& what, Done done) {
    while (!done()) RunOne(what);
  }
  // Runs what is posted until everything handed to the log before is in its files.
  absl::Status Sync(StateLog& log) {
    bool done = false;
    absl::Status result;
    log.WhenDurable([&](const absl::Status& status) {
      done = true;
      result = status;
    });
    RunUntil("the journal to be durable", [&] { return done; });
    return result;
  }
  size_t size() const {
    MutexLock lock(shared_->mutex);
    return shared_->functions.size();
  }

 private:
  struct Shared {
    Mutex mutex;
    CondVar changed;
    std::deque<std::function<void()>> functions ABSL_GUARDED_BY(mutex);
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// An event with something in every field that follows from its number.
inline std::shared_ptr<Event> MakeEvent(Sequence sequence, size_t body_bytes = 40) {
  auto event = std::make_shared<Event>();
  const std::string number = std::to_string(sequence);
  event->sequence = sequence;
  event->event_id = "event-" + number;
  event->request_id = sequence % 2 ? "request-" + number : "";
  event->publish_time = FromNanos(1'700'000'000'123'456'789 + static_cast<int64_t>(sequence));
  event->type = static_cast<EventType>(1 + sequence % 5);
  event->source = "source-" + number;
  event->subject = "vm/" + number;
  event->ordering_key = "key-" + number;
  event->attributes = {{"name", "value-" + number}, {"zero", std::string("\0x", 2)}};
  if (sequence > 1) event->parent_event_id = "event-" + std::to_string(sequence - 1);
  event->hop_count = static_cast<uint32_t>(sequence % 7);
  if (sequence > 1) event->ancestors = sequence > 2 ? std::vector<Sequence>{1, sequence - 1} : std::vector<Sequence>{1};
  if (sequence % 4 == 0) event->required_listeners = {"network", "storage"};
  if (sequence % 3 == 0) event->expire_time = event->publish_time + std::chrono::hours(1);
  event->body = std::string("\0\xff", 2) + number;
  event->body.resize(body_bytes, static_cast<char>('a' + sequence % 26));
  return event;
}

inline bool operator==(const ListenerError& a, const ListenerError& b) {
  return a.code == b.code && a.reason == b.reason && a.message == b.message && a.metadata == b.metadata &&
         a.retryable == b.retryable;
}

inline bool Same(const Event& a, const Event& b) {
  return a.event_id == b.event_id && a.request_id == b.request_id && a.sequence == b.sequence &&
         a.publish_time == b.publish_time && a.type == b.type && a.source == b.source && a.subject == b.subject &&
         a.ordering_key == b.ordering_key && a.attributes == b.attributes && a.parent_event_id == b.parent_event_id &&
         a.hop_count == b.hop_count && a.ancestors == b.ancestors && a.required_listeners == b.required_listeners &&
         a.expire_time == b.expire_time && a.body == b.body;
}

inline bool Same(const std::vector<EventPtr>& a, const std::vector<EventPtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const EventPtr& x, const EventPtr& y) { return Same(*x, *y); });
}

inline bool operator==(const Incident& a, const Incident& b) {
  return a.time == b.time && a.kind == b.kind && a.message == b.message && a.first == b.first && a.last == b.last &&
         a.lost == b.lost && a.lost_at_least == b.lost_at_least;
}

inline bool operator==(const AttemptRecord& a, const AttemptRecord& b) {
  return a.attempt == b.attempt && a.end_time == b.end_time && a.instance_id == b.instance_id && a.error == b.error &&
         a.replay_id == b.replay_id;
}

inline bool Same(const ListenerSnapshot& a, const ListenerSnapshot& b) {
  return a.name == b.name && a.instance_id == b.instance_id && a.node == b.node && a.peer == b.peer && a.epoch == b.epoch &&
         a.version == b.version && a.paused == b.paused && a.pause_reason == b.pause_reason && a.create_time == b.create_time &&
         a.connect_time == b.connect_time && a.lease == b.lease && a.policy.ack_deadline == b.policy.ack_deadline &&
         a.policy.max_ack_extension == b.policy.max_ack_extension && a.policy.max_attempts == b.policy.max_attempts &&
         a.policy.minimum_backoff == b.policy.minimum_backoff && a.policy.maximum_backoff == b.policy.maximum_backoff &&
         a.policy.backoff_multiplier == b.policy.backoff_multiplier && a.max_in_flight == b.max_in_flight &&
         a.labels == b.labels && a.born_after == b.born_after && a.incidents == b.incidents &&
         a.last_error.has_value() == b.last_error.has_value() &&
         (!a.last_error || (a.last_error->error == b.last_error->error && a.last_error->time == b.last_error->time)) &&
         a.lost_deliveries == b.lost_deliveries && a.deleted_after == b.deleted_after;
}

inline bool Same(const DeliveryRecord& a, const DeliveryRecord& b) {
  return a.sequence == b.sequence && a.state == b.state && a.answered == b.answered && a.attempt == b.attempt &&
         a.lost_sessions == b.lost_sessions && a.latency == b.latency && a.next_attempt_time == b.next_attempt_time &&
         a.instance_id == b.instance_id && a.error.has_value() == b.error.has_value() && (!a.error || *a.error == *b.error) &&
         a.hook_results == b.hook_results && a.attempts == b.attempts;
}

inline bool Same(const Progress& a, const Progress& b) {
  return a.next_sequence == b.next_sequence && a.wanted_again_until == b.wanted_again_until && a.unsettled == b.unsettled &&
         a.gaps == b.gaps && a.ahead == b.ahead && a.counted_until == b.counted_until;
}

inline bool Same(const DeadLetter& a, const DeadLetter& b) {
  return a.id == b.id && a.listener == b.listener && a.listener_name == b.listener_name && a.time == b.time &&
         Same(*a.event, *b.event) && Same(a.delivery, b.delivery) && a.redrive_id == b.redrive_id;
}

inline bool Same(const Replay& a, const Replay& b) {
  return a.number == b.number && a.listener == b.listener && a.replay_id == b.replay_id && a.sequence == b.sequence &&
         a.dry_run == b.dry_run && a.dead_letter_id == b.dead_letter_id;
}

inline bool Same(const Recovery& a, const Recovery& b) {
  const auto same_listener = [](const Recovery::Listener& x, const Recovery::Listener& y) {
    return x.id == y.id && Same(x.snapshot, y.snapshot) &&
           std::equal(x.interests.begin(), x.interests.end(), y.interests.begin(), y.interests.end(),
                      [](const Interest& i, const Interest& j) {
                        return i.after == j.after && i.event_types == j.event_types && i.filter == j.filter;
                      }) &&
           Same(x.progress, y.progress) && Same(x.unsettled, y.unsettled) && x.dead_letter_count == y.dead_letter_count &&
           x.replay_count == y.replay_count && x.redrive_count == y.redrive_count && x.redrive_id == y.redrive_id &&
           std::equal(x.deliveries.begin(), x.deliveries.end(), y.deliveries.begin(), y.deliveries.end(),
                      [](const DeliveryRecord& i, const DeliveryRecord& j) { return Same(i, j); });
  };
  return a.last_sequence == b.last_sequence && a.last_publish_time == b.last_publish_time && Same(a.newest, b.newest) &&
         a.last_listener_id == b.last_listener_id && a.last_dead_letter_id == b.last_dead_letter_id &&
         a.last_replay_number == b.last_replay_number &&
         std::equal(a.listeners.begin(), a.listeners.end(), b.listeners.begin(), b.listeners.end(), same_listener);
}

inline ListenerSnapshot MakeSnapshot(const std::string& name) {
  ListenerSnapshot snapshot;
  snapshot.name = name;
  snapshot.instance_id = name + "-instance";
  snapshot.node = "node1";
  snapshot.peer = "127.0.0.1:1";
  snapshot.epoch = 7;
  snapshot.version = 3;
  snapshot.paused = true;
  snapshot.pause_reason = "because";
  snapshot.create_time = FromNanos(1'600'000'000'000'000'001);
  snapshot.connect_time = FromNanos(1'600'000'000'000'000'002);
  snapshot.lease = std::chrono::seconds(11);
  snapshot.policy.max_attempts = 3;
  snapshot.policy.backoff_multiplier = 1.5;
  snapshot.max_in_flight = 5;
  snapshot.labels = {{"a", "b"}, {"", ""}};
  snapshot.born_after = 2;
  snapshot.incidents = {{FromNanos(1'600'000'000'000'000'003), "passed", "retention", 3, 9, 5, true}};
  snapshot.last_error = {{9, "SOME_REASON", "some message", {{"k", "v"}}, true}, FromNanos(1'600'000'000'000'000'004)};
  snapshot.lost_deliveries = 5;
  return snapshot;
}

inline DeliveryRecord MakeDelivery(Sequence sequence) {
  const ListenerError error{9, "SOME_REASON", "some message", {{"k", "v"}}, true};
  return {sequence,
          DeliveryState::kRetryScheduled,
          true,
          2,
          1,
          std::chrono::milliseconds(5),
          FromNanos(1'650'000'000'000'000'000),
          "some-instance",
          error,
          "hooks",
          {{1, FromNanos(1'650'000'000'000'000'001), "first-instance", error, ""},
           {2, FromNanos(1'650'000'000'000'000'002), "some-instance", error, "replay-7"}}};
}

inline DeadLetter MakeDeadLetter(uint64_t id, ListenerId listener) {
  DeliveryRecord delivery = MakeDelivery(id + 100);
  delivery.state = DeliveryState::kDeadLettered;
  return {id,
          listener,
          "listener" + std::to_string(listener),
          FromNanos(1'660'000'000'000'000'000),
          MakeEvent(id + 100),
          std::move(delivery),
          id % 2 ? "redrive" : ""};
}

}  // namespace pvebus::bus
