// The bus on its real journal, again and again: what a crash at any quiet moment leaves is where it goes on.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "bus-service/store/sqlite_event_log.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::minutes;
using std::chrono::seconds;

// What is known of a listener from outside.
struct Standing {
  Sequence next;
  uint64_t backlog, dead_letters, epoch, version;
  bool paused;
  std::string pause_reason;
  bool operator==(const Standing&) const = default;
};

class BusRestoreTest : public testing::Test {
 protected:
  BusRestoreTest() { Start(); }

  // The crash: what is in the files now is all that is left. Time goes on.
  void Crash() {
    Settle();
    ++lives_;
    CopyJournal(data(lives_ - 1), data(lives_));
    Start();
  }
  // The same before EndTurn: only what the journal was told so far is there.
  void CrashInTheMiddleOfATurn() {
    ASSERT_TRUE(posts_.Sync(*log_).ok());
    ++lives_;
    CopyJournal(data(lives_ - 1), data(lives_));
    Start();
  }
  // What a service manager does: sessions end, what there is is stored.
  void Stop() {
    Settle();
    bus_->bus.StartDrain();
    bus_->bus.EndAll();
    bus_->bus.EndTurn();
    log_->Close();
    Start();
  }
  // Lets the journal catch up with everything that was done.
  void Settle() {
    for (int round = 0; round < 3; ++round) {
      bus_->bus.EndTurn();
      ASSERT_TRUE(posts_.Sync(*log_).ok());
      bus_->Flush();
    }
  }
  PublishOutcomePtr Publish(Post post) {
    if (post.body.empty()) post.body = "body of " + post.id;
    post.wait_policy = WaitPolicy::kDurable;
    const auto outcome = bus_->Publish(std::move(post));
    posts_.RunUntil("the publish's outcome", [&] { return outcome->done(); });  // the journal may have to look ids up
    Settle();
    return outcome;
  }
  void Seek(const std::string& name, const StartPosition& position) {
    absl::Status status = absl::UnavailableError("no answer");
    bus_->bus.registry().Seek(name, position, false, "", [&](const auto& answer) { status = answer.status(); });
    Settle();
    EXPECT_TRUE(status.ok()) << status;
  }
  Standing StandingOf(const std::string& name) const {
    const ListenerRecord& record = bus_->bus.registry().listeners().at(name);
    const Subscription& s = *record.subscription;
    return {s.floor(), s.backlog(), s.dead_letters(), record.epoch, record.version, s.paused(), record.pause_reason};
  }
  // The journal may have to be asked: that takes a moment.
  PublishOutcomePtr Result(const std::string& id) {
    auto outcome = bus_->GetResult(id);
    posts_.RunUntil("the result of " + id, [&] { return outcome->done(); });
    return outcome;
  }
  PublishOutcome::Row Row(const std::string& id, const std::string& listener) { return Result(id)->At(listener); }
  std::vector<std::string> RowsOf(const std::string& id) {
    std::vector<std::string> rows;
    const auto outcome = Result(id);
    for (const auto& row : outcome->rows) {
      rows.push_back(row.listener + " " + std::to_string(static_cast<int>(row.state)) + " " + row.reason + " " + row.message +
                     " " + std::to_string(row.attempt));
    }
    return rows;
  }
  BusHarness& bus() { return *bus_; }

 private:
  std::string data(int life) const { return directory_ / ("life" + std::to_string(life)); }
  void Start() {
    const auto system = bus_ ? bus_->clock.SystemNow() : SystemTime();
    bus_ = nullptr;
    log_ = nullptr;
    posts_ = PostQueue();
    auto opened = SqliteEventLog::Open(data(lives_), 64 << 20, posts_.Post(), logger_);
    if (!opened.ok()) throw std::runtime_error(opened.status().ToString());
    log_ = std::move(opened->log);
    bus_ = std::make_unique<BusHarness>(*log_, *log_, std::make_unique<SeededRandom>(static_cast<uint64_t>(lives_ + 1)));
    if (system != SystemTime()) bus_->clock.Advance(std::chrono::duration_cast<Duration>(system - bus_->clock.SystemNow()));
    bus_->bus.Restore(opened->recovery);
  }

  const TemporaryDirectory directory_;
  NullLogger logger_;
  PostQueue posts_;
  int lives_ = 0;
  std::unique_ptr<SqliteEventLog> log_;
  std::unique_ptr<BusHarness> bus_;
};

TEST_F(BusRestoreTest, RowsBacklogsAndEpochsAreTheSame) {
  auto& a = bus().Connect("a");
  bus().Connect("b");
  for (const char* id : {"acked", "retried", "dead", "skipped", "held"}) Publish({.id = id, .key = id});
  a.Ack("acked");
  a.Retry("retried", seconds(20));
  a.DeadLetter("dead");
  a.Skip("skipped");
  Settle();
  std::vector<std::vector<std::string>> before;
  for (const char* id : {"acked", "retried", "dead", "skipped"}) before.push_back({RowsOf(id)[0]});
  const auto standing_a = StandingOf("a");
  const auto standing_b = StandingOf("b");
  Crash();

  EXPECT_EQ(StandingOf("a"), standing_a);
  EXPECT_EQ(StandingOf("b"), standing_b);
  std::vector<std::vector<std::string>> after;
  for (const char* id : {"acked", "retried", "dead", "skipped"}) after.push_back({RowsOf(id)[0]});
  EXPECT_EQ(after, before);
  EXPECT_EQ(Row("acked", "a").state, DeliveryState::kSucceeded);
  EXPECT_EQ(Row("dead", "a").state, DeliveryState::kDeadLettered);
  EXPECT_EQ(Row("dead", "a").reason, "TEST_REASON");
  EXPECT_EQ(Row("skipped", "a").state, DeliveryState::kSkipped);
  EXPECT_EQ(Row("retried", "a").attempt, 1u);
  auto& again = bus().Connect("a");
  EXPECT_EQ(StandingOf("a").epoch, standing_a.epoch + 1);
  EXPECT_EQ(again.Order(), (Ids{"held"})) << "the retry waits for its time";
  bus().Advance(seconds(20));
  EXPECT_EQ(again.Order(), (Ids{"held", "retried"}));
  EXPECT_EQ(again.Newest("retried").delivery.attempt, 2u);
}

TEST_F(BusRestoreTest, AReleasedDeliveryWaitsForItsTimeAndIsPending) {
  auto& a = bus().Connect("a");
  Publish({.id = "x"});
  a.Release("x", seconds(20));
  Crash();

  EXPECT_EQ(Row("x", "a").reason, "TEST_REASON");
  auto& again = bus().Connect("a");
  EXPECT_EQ(Row("x", "a").state, DeliveryState::kQueued);
  bus().Advance(seconds(19));
  EXPECT_TRUE(again.received.empty());
  bus().Advance(seconds(1));
  EXPECT_EQ(again.Order(), (Ids{"x"}));
  EXPECT_EQ(again.Newest("x").delivery.attempt, 1u);
}

TEST_F(BusRestoreTest, TheLastErrorAndWhatWasLostOutliveTheBus) {
  auto& a = bus().Connect("a");
  Publish({.id = "dead", .key = "dead"});
  a.DeadLetter("dead");
  a.Break();
  Publish({.id = "lost", .key = "lost"});
  bus().bus.registry().GiveUpBefore(3);
  const auto time = bus().bus.registry().listeners().at("a").subscription->last_error()->time;
  Crash();

  const Subscription& subscription = *bus().bus.registry().listeners().at("a").subscription;
  ASSERT_TRUE(subscription.last_error());
  EXPECT_EQ(subscription.last_error()->error.reason, "TEST_REASON");
  EXPECT_EQ(subscription.last_error()->time, time);
  EXPECT_EQ(subscription.lost_deliveries(), 1u);
  EXPECT_EQ(subscription.incidents().at(0).lost, 1u);
  EXPECT_FALSE(subscription.incidents().at(0).lost_at_least);
}

TEST_F(BusRestoreTest, RowsOfADeletedListenerOutliveTheBus) {
  auto& a = bus().Connect("a");
  bus().Connect("b");
  Publish({.id = "acked", .key = "1"});
  Publish({.id = "dead", .key = "2"});
  Publish({.id = "held", .key = "3"});
  a.Ack("acked");
  a.DeadLetter("dead");
  ASSERT_TRUE(bus().bus.registry().Delete("a", true, "").ok());
  Settle();
  std::vector<std::string> before;
  for (const char* id : {"acked", "dead"}) before.push_back(RowsOf(id).at(0));
  Crash();

  std::vector<std::string> after;
  for (const char* id : {"acked", "dead"}) after.push_back(RowsOf(id).at(0));
  EXPECT_EQ(after, before);
  EXPECT_EQ(Row("held", "a").state, DeliveryState::kExpired);
  EXPECT_EQ(Row("held", "a").reason, "LISTENER_DELETED");
}

TEST_F(BusRestoreTest, ADelayTheListenerAskedForIsKeptEvenWhenItIsLongerThanItsBackoff) {
  auto& a = bus().Connect("a");
  Publish({.id = "x"});
  a.Retry("x", minutes(5));
  Crash();

  auto& again = bus().Connect("a");
  bus().Advance(minutes(4));
  EXPECT_TRUE(again.received.empty());
  bus().Advance(minutes(1));
  EXPECT_EQ(again.Order(), (Ids{"x"}));
}

TEST_F(BusRestoreTest, ThreeAttemptsAreThreeDeliveriesHoweverOftenTheBusDies) {
  int deliveries = 0;
  const auto connect = [&]() -> ScriptedListener& {
    auto& a = bus().Add("a");
    a.registration.delivery_policy.max_attempts = 3;
    a.Connect();
    return a;
  };
  connect();
  Publish({.id = "x"});
  Crash();
  for (int life = 0; life < 6; ++life) {
    auto& a = connect();
    bus().Advance(minutes(10));
    if (a.Held().empty()) continue;
    deliveries += a.Times("x");
    a.Retry("x");
    Crash();
  }
  EXPECT_EQ(deliveries, 3);
  EXPECT_EQ(Row("x", "a").state, DeliveryState::kDeadLettered);
  EXPECT_EQ(StandingOf("a").dead_letters, 1u);
  EXPECT_EQ(StandingOf("a").backlog, 0u);
}

TEST_F(BusRestoreTest, APauseAndItsReasonOutliveTheBus) {
  bus().Connect("a");
  ASSERT_TRUE(bus().bus.registry().Pause("a", "maintenance", "").ok());
  Publish({.id = "x"});
  const auto before = StandingOf("a");
  Crash();

  EXPECT_EQ(StandingOf("a"), before);
  auto& a = bus().Connect("a");
  EXPECT_TRUE(a.received.empty());
  ASSERT_TRUE(bus().bus.registry().Resume("a", "").ok());
  bus().Flush();
  EXPECT_EQ(a.Order(), (Ids{"x"}));
  a.Ack("x");
  Stop();
  EXPECT_FALSE(StandingOf("a").paused);
  EXPECT_EQ(StandingOf("a").backlog, 0u);
}

TEST_F(BusRestoreTest, ASeekForwardAndBackIsRemembered) {
  auto& a = bus().Connect("a");
  for (const char* id : {"one", "two", "three"}) Publish({.id = id, .key = id});
  a.AckAll();
  StartPosition position;
  position.kind = StartPosition::Kind::kSequence;
  position.sequence = 2;
  a.Break();
  Seek("a", position);
  const auto back = StandingOf("a");
  EXPECT_EQ(back.backlog, 2u);
  Crash();

  EXPECT_EQ(StandingOf("a"), back);
  position.sequence = 3;
  Seek("a", position);
  const auto forward = StandingOf("a");
  Crash();
  EXPECT_EQ(StandingOf("a"), forward);
  EXPECT_EQ(bus().Connect("a").Order(), (Ids{"three"}));
}

TEST_F(BusRestoreTest, RepeatedPublishesAreKnownByEitherId) {
  Publish({.id = "x", .body = "same", .request_id = "rx"});
  Crash();

  EXPECT_TRUE(Publish({.id = "x", .body = "same", .request_id = "rx"})->duplicate);
  EXPECT_TRUE(Publish({.id = "x", .body = "same"})->duplicate);
  const auto by_request = Publish({.body = "same", .request_id = "rx", .let_bus_name_it = true});
  EXPECT_TRUE(by_request->duplicate);
  EXPECT_EQ(by_request->event_id, "x");
  EXPECT_EQ(ErrorReason(Publish({.id = "x", .body = "other"})->status), "EVENT_ID_CONFLICT");
  EXPECT_EQ(ErrorReason(Publish({.id = "y", .body = "other", .request_id = "rx"})->status), "REQUEST_ID_CONFLICT");
}

TEST_F(BusRestoreTest, SequencesGoOnAndAWrongExpectationIsStillWrong) {
  Publish({.id = "x"});
  Publish({.id = "y"});
  Crash();

  EXPECT_EQ(ErrorReason(Publish({.id = "z", .expected_last = 1})->status), "SEQUENCE_MISMATCH");
  const auto z = Publish({.id = "z", .expected_last = 2});
  EXPECT_EQ(z->sequence, 3u);
}

TEST_F(BusRestoreTest, OrderOfAKeyIsKeptOverTheRestart) {
  auto& a = bus().Connect("a");
  Publish({.id = "x1", .key = "x"});
  Publish({.id = "x2", .key = "x"});
  Publish({.id = "y1", .key = "y"});
  a.Retry("x1", seconds(10));
  Crash();

  auto& again = bus().Connect("a");
  EXPECT_EQ(again.Order(), (Ids{"y1"})) << "x2 waits behind x1";
  bus().Advance(seconds(10));
  again.AckAll();
  EXPECT_EQ(again.Order(), (Ids{"y1", "x1", "x2"}));
}

TEST_F(BusRestoreTest, AnEventThatKillsItsListenerIsDeadLetteredOverRestartsToo) {
  bus().Connect("a");
  Publish({.id = "x"});
  Crash();  // the bus was lost, not the listener
  for (uint32_t lost = 0; lost < bus().limits.max_lost_sessions; ++lost) {
    auto& a = bus().Connect("a");
    ASSERT_EQ(a.Held(), (Ids{"x"})) << lost;
    a.Break();
    Crash();
  }
  EXPECT_EQ(Row("x", "a").state, DeliveryState::kDeadLettered);
  EXPECT_EQ(Row("x", "a").reason, "LOST_SESSIONS");
}

TEST_F(BusRestoreTest, WhoMatchedFollowsFromTheFilterOfThatTime) {
  const auto connect = [&](const std::string& filter) -> ScriptedListener& {
    auto& a = bus().Add("a");
    a.registration.filter = *Filter::ParseForEvents(filter);
    a.Connect();
    return a;
  };
  auto& first = connect("subject = \"one\"");
  Publish({.id = "x1", .key = "1", .subject = "one"});
  Publish({.id = "x2", .key = "2", .subject = "two"});
  first.AckAll();
  first.Break();
  auto& second = connect("subject = \"two\"");
  Publish({.id = "y1", .key = "3", .subject = "one"});
  Publish({.id = "y2", .key = "4", .subject = "two"});
  second.AckAll();
  std::vector<std::vector<std::string>> before;
  for (const char* id : {"x1", "x2", "y1", "y2"}) before.push_back(RowsOf(id));
  Crash();

  std::vector<std::vector<std::string>> after;
  for (const char* id : {"x1", "x2", "y1", "y2"}) after.push_back(RowsOf(id));
  EXPECT_EQ(after, before);
  EXPECT_EQ(after[0].size(), 1u);
  EXPECT_EQ(after[1].size(), 0u);
}

TEST_F(BusRestoreTest, ADeletedListenerIsGoneAndItsNameBeginsAnew) {
  bus().Connect("a");
  bus().Connect("b");
  Publish({.id = "x"});
  ASSERT_TRUE(bus().bus.registry().Delete("b", true, "").ok());
  Crash();

  EXPECT_FALSE(bus().bus.registry().listeners().contains("b"));
  EXPECT_TRUE(bus().bus.registry().listeners().contains("a"));
  auto& b = bus().Connect("b");
  EXPECT_TRUE(b.received.empty());
  EXPECT_EQ(StandingOf("b").epoch, 1u);
  Crash();
  EXPECT_EQ(StandingOf("b").backlog, 0u);
}

TEST_F(BusRestoreTest, AnOutcomeThatIsStoredBeforeTheProgressOfItsTurnCounts) {
  auto& a = bus().Connect("a");
  Settle();
  // In the same 5 ms: no progress is saved for the turn's sake.
  bus().Publish({.id = "x", .body = "x", .wait_policy = WaitPolicy::kDurable});
  Settle();
  Settlement settlement = a.SettlementFor(a.Newest("x").delivery.delivery_id, Settlement::Outcome::kDeadLetter);
  settlement.confirm = false;
  a.Settle(settlement);
  CrashInTheMiddleOfATurn();

  EXPECT_EQ(StandingOf("a").dead_letters, 1u);
  EXPECT_TRUE(bus().Connect("a").received.empty()) << "it is delivered again";
  EXPECT_EQ(Row("x", "a").state, DeliveryState::kDeadLettered);
}

TEST_F(BusRestoreTest, AListenerIsWholeInTheFilesBeforeItsTurnHasEnded) {
  bus().Connect("a");
  Publish({.id = "x"});
  bus().Connect("b");
  // No EndTurn: an append of the same turn makes the writer commit at once.
  bus().Publish({.id = "y", .wait_policy = WaitPolicy::kDurable});
  CrashInTheMiddleOfATurn();

  EXPECT_TRUE(bus().bus.registry().listeners().contains("b"));
}

}  // namespace
}  // namespace pvebus::bus
