// A power loss, at every commit boundary and between them: what the journal has promised is there, and nothing it was never told.
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bus-service/store/testing/journal_rig.h"
#include "bus-service/store/testing/unsynced_loss_vfs.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using Survival = UnsyncedLossVfs::Survival;
using Operation = UnsyncedLossVfs::Operation;

constexpr size_t kMaxBytes = 256 << 20;
constexpr ListenerId kListeners[] = {1, 2};

// Sizes that share a page, fill one, and need several.
size_t BodyBytes(Sequence sequence) { return std::array{40, 300, 3000, 8200, 20000}[sequence % 5]; }

// What was saved of all listeners, in words: comparing states means comparing these. Of deliveries only those that are not
// settled: the rest is history.
struct States {
  std::map<ListenerId, Progress> progress;
  std::map<std::pair<ListenerId, Sequence>, DeliveryRecord> deliveries;

  std::string Text() const {
    std::string text;
    for (const auto& [listener, at] : progress) {
      absl::StrAppendFormat(&text, "%d: next %d, again until %d, but for", listener, at.next_sequence, at.wanted_again_until);
      for (const Sequence sequence : at.unsettled) absl::StrAppendFormat(&text, " %d", sequence);
      text += "\n";
    }
    for (const auto& [key, record] : deliveries) {
      const auto listener = progress.find(key.first);
      if (listener == progress.end()) continue;
      const auto& unsettled = listener->second.unsettled;
      if (!std::binary_search(unsettled.begin(), unsettled.end(), key.second)) continue;
      absl::StrAppendFormat(&text, "%d: event %d state %d attempt %d error %s\n", key.first, key.second,
                            static_cast<int>(record.state), record.attempt, record.error ? record.error->message : "none");
    }
    return text;
  }
};

States StatesOf(const Recovery& recovery) {
  States states;
  for (const auto& listener : recovery.listeners) {
    states.progress[listener.id] = listener.progress;
    for (const auto& delivery : listener.deliveries) states.deliveries[{listener.id, delivery.sequence}] = delivery;
  }
  return states;
}

// A journal at work in a file system that knows what is safe, and what the journal has promised so far. The work is done in step
// with the commits, by the thread of the test; power is lost on the journal's.
class PowerLoss {
 public:
  explicit PowerLoss(uint32_t seed) : random_(seed) {
    vfs_.SetObserver([this](Operation operation, const std::string& path) { Observed(operation, path); });
    history_.push_back(States().Text());
  }

  // Whether power is lost before this operation.
  std::function<bool(Operation, const std::string& path)> when = [](Operation, const std::string&) { return true; };
  int moments() const { return moments_; }

  void Open() {
    auto opened = SqliteEventLog::Open(data_, kMaxBytes, posts_.Post(), logger_, false, vfs_.name());
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = std::move(opened->log);
    for (const ListenerId listener : kListeners) {
      if (states_.progress.contains(listener)) continue;
      log_->SaveListener(listener, MakeSnapshot(absl::StrCat("listener-", listener)));
      SaveProgress(listener);
    }
    Confirm();
  }
  void Close() {
    log_->Close();
    log_ = nullptr;
    MutexLock lock(mutex_);
    confirmed_ = history_.size() - 1;
  }
  void Append(int events) {
    for (int i = 0; i < events; ++i) {
      Sequence sequence = 0;
      {
        MutexLock lock(mutex_);
        sequence = ++offered_;
      }
      log_->Append(MakeEvent(sequence, BodyBytes(sequence)), [this, sequence](const absl::Status& status) {
        ASSERT_TRUE(status.ok()) << status;
        MutexLock lock(mutex_);
        acknowledged_ = sequence;
      });
    }
  }
  void AwaitAppends() {
    posts_.RunUntil("the appends", [&] {
      MutexLock lock(mutex_);
      return acknowledged_ == offered_;
    });
  }
  // It has settled some of what it had not, and some of what is new.
  void SaveProgress(ListenerId listener) {
    Progress& progress = states_.progress[listener];
    for (; progress.next_sequence <= acknowledged(); ++progress.next_sequence)
      progress.unsettled.push_back(progress.next_sequence);
    std::erase_if(progress.unsettled, [this](Sequence) { return random_() % 3 == 0; });
    Remember();
    log_->SaveProgress(listener, progress);
  }
  // One more attempt has failed.
  void SaveDelivery(ListenerId listener) {
    const auto& unsettled = states_.progress[listener].unsettled;
    if (unsettled.empty()) return;
    DeliveryRecord record = MakeDelivery(unsettled[random_() % unsettled.size()]);
    record.attempt = ++attempt_;
    record.error->message = absl::StrCat("attempt ", attempt_);
    states_.deliveries[{listener, record.sequence}] = record;
    Remember();
    log_->SaveDelivery(listener, record);
  }
  // A confirmation: whatever was saved before stays.
  void Confirm() {
    size_t saved = 0;
    {
      MutexLock lock(mutex_);
      saved = history_.size() - 1;
    }
    bool done = false;
    log_->WhenDurable([&](const absl::Status& status) {
      ASSERT_TRUE(status.ok()) << status;
      MutexLock lock(mutex_);
      confirmed_ = saved;
      done = true;
    });
    posts_.RunUntil("a confirmation", [&] { return done; });
  }
  Sequence acknowledged() {
    MutexLock lock(mutex_);
    return acknowledged_;
  }
  std::mt19937& random() { return random_; }

 private:
  void Remember() {
    const std::string text = states_.Text();
    MutexLock lock(mutex_);
    history_.push_back(text);
  }

  void Observed(Operation operation, const std::string& path) {
    if (!when(operation, path)) return;
    const int moment = ++moments_;
    Sequence acknowledged = 0;
    size_t confirmed = 0;
    {
      MutexLock lock(mutex_);
      acknowledged = acknowledged_;
      confirmed = confirmed_;
    }
    for (const Survival survival : {Survival::kNothing, Survival::kPrefix, Survival::kRandom}) {
      SCOPED_TRACE(absl::StrFormat("power lost at moment %d (before operation %d on %s), survival %d", moment,
                                   static_cast<int>(operation), path.substr(path.rfind('/') + 1), static_cast<int>(survival)));
      const std::string copy = directory_ / absl::StrFormat("loss-%d-%d", moment, static_cast<int>(survival));
      vfs_.LosePower(copy, survival, static_cast<uint32_t>(moment * 3 + static_cast<int>(survival)));
      Check(copy, acknowledged, confirmed);
      if (!testing::Test::HasFailure()) std::filesystem::remove_all(copy);
    }
  }

  // The promises, named as they are in the design.
  void Check(const std::string& directory, Sequence acknowledged, size_t confirmed) {
    PostQueue posts;
    auto opened = SqliteEventLog::Open(directory, kMaxBytes, posts.Post(), logger_);
    ASSERT_TRUE(opened.ok()) << "BrokeRecovery: " << opened.status();
    const EventLog::Stats stats = opened->log->GetStats();
    EXPECT_GE(stats.last_sequence, acknowledged) << "BrokeDurability";
    Sequence next = 1;
    while (next <= stats.last_sequence) {
      std::vector<EventPtr> events;
      bool answered = false;
      opened->log->Read(next, 100, 1 << 20, [&](absl::StatusOr<std::vector<EventPtr>> read) {
        answered = true;
        ASSERT_TRUE(read.ok()) << read.status();
        events = *std::move(read);
      });
      posts.RunUntil("events", [&] { return answered; });
      ASSERT_FALSE(events.empty()) << "BrokeDurability: event " << next << " of " << stats.last_sequence;
      for (const EventPtr& event : events) {
        ASSERT_EQ(event->sequence, next) << "BrokeSequence";
        ASSERT_TRUE(Same(*event, *MakeEvent(next, BodyBytes(next)))) << "BrokeIntegrity: event " << next;
        ++next;
      }
    }
    const std::string states = StatesOf(opened->recovery).Text();
    MutexLock lock(mutex_);
    EXPECT_LE(stats.last_sequence, offered_) << "BrokeSequence: an event nobody published";
    const auto begin = history_.begin() + static_cast<std::ptrdiff_t>(confirmed);
    EXPECT_NE(std::find(begin, history_.end(), states), history_.end())
        << "BrokeConfirmation: listeners stand where they never stood, or stood before what was confirmed:\n"
        << states << "confirmed:\n"
        << *begin << "newest:\n"
        << history_.back();
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  UnsyncedLossVfs vfs_{"unsynced-loss-test"};
  NullLogger logger_;
  PostQueue posts_;
  std::mt19937 random_;
  std::unique_ptr<SqliteEventLog> log_;
  States states_;
  uint32_t attempt_ = 0;
  std::atomic<int> moments_ = 0;

  Mutex mutex_;
  Sequence offered_ ABSL_GUARDED_BY(mutex_) = 0;
  Sequence acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> history_ ABSL_GUARDED_BY(mutex_);  // all states, one per save
  size_t confirmed_ ABSL_GUARDED_BY(mutex_) = 0;              // the state that must not be lost
};

void Work(PowerLoss& journal, int steps) {
  for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
    journal.Append(static_cast<int>(journal.random()() % 4));
    for (const ListenerId listener : kListeners) {
      for (auto failures = journal.random()() % 3; failures > 0; --failures) journal.SaveDelivery(listener);
      if (journal.random()() % 2 == 0) journal.SaveProgress(listener);
    }
    journal.AwaitAppends();
    if (journal.random()() % 4 == 0) journal.Confirm();
  }
}

TEST(UnsyncedLossTest, NothingPromisedIsLostAtAnyCommitBoundaryOrBetween) {
  PowerLoss journal(1);
  int operations = 0;
  // Every sync, and some writes between two.
  journal.when = [&operations](Operation operation, const std::string&) {
    return operation != Operation::kWrite || ++operations % 7 == 0;
  };
  for (int run = 0; run < 3; ++run) {
    ASSERT_NO_FATAL_FAILURE(journal.Open());
    Work(journal, 12);
    journal.Close();
  }

  EXPECT_GT(journal.acknowledged(), 30u);
  EXPECT_GT(journal.moments(), 60);
}

TEST(UnsyncedLossTest, NothingIsLostWhileTheFirstFileIsMade) {
  PowerLoss journal(2);
  ASSERT_NO_FATAL_FAILURE(journal.Open());
  Work(journal, 3);
  journal.Close();

  EXPECT_GT(journal.moments(), 30);
}

// The write-ahead log goes into the database and is written over from its beginning: the moments at which both count.
TEST(UnsyncedLossTest, NothingIsLostWhileTheWriteAheadLogIsMovedIntoTheDatabase) {
  PowerLoss journal(3);
  // The writer and the checkpointer ask.
  std::atomic<int> moves = 0;
  std::atomic<int> after = 0;
  std::atomic<int> writes = 0;
  journal.when = [&](Operation operation, const std::string& path) {
    const bool log = path.size() > 4 && path.substr(path.size() - 4) == "-wal";
    if (!log) {
      after = 30;  // what the log is told next
      moves += operation == Operation::kSync;
      return operation != Operation::kWrite || ++writes % 400 == 0;
    }
    return after > 0 && --after % 15 == 0;
  };
  ASSERT_NO_FATAL_FAILURE(journal.Open());
  const int before = moves;
  for (int i = 0; i < 400 && moves < before + 2 && !testing::Test::HasFailure(); ++i) {
    journal.Append(25);
    journal.SaveProgress(1);
    journal.AwaitAppends();
  }
  Work(journal, 3);
  journal.Close();

  EXPECT_GE(moves, before + 2) << "the log was never moved while the journal worked";
}

// The layer itself: it does forget, and only what was not synced.
TEST(UnsyncedLossTest, TheLayerForgetsWhatWasNotSynced) {
  const TemporaryDirectory directory;
  UnsyncedLossVfs vfs("unsynced-loss-self-test");
  const auto rows_left = [&](const std::string& name) {
    vfs.LosePower(directory / name, Survival::kNothing, 1);
    auto left = SqliteDatabase::Open(directory / (name + "/x.db"));
    return left.ok() ? (*left)->QueryNumber("SELECT count(*) FROM t") : left.status();
  };
  auto database = *SqliteDatabase::Open(directory / "x.db", vfs.name());
  ASSERT_TRUE(database->Execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(rows_left("synced").value(), 1);
  ASSERT_TRUE(database->Execute("PRAGMA synchronous=OFF; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)").ok());
  EXPECT_EQ(rows_left("not synced").value(), 1);
  ASSERT_TRUE(database->Execute("PRAGMA synchronous=FULL; INSERT INTO t VALUES (4)").ok());
  EXPECT_EQ(rows_left("synced again").value(), 4);
}

}  // namespace
}  // namespace pvebus::bus
