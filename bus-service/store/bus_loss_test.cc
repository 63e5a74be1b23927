// The bus on a journal that lost events and was told to go on: nobody waits for them, and everybody who may miss them is told.
#include "bus-service/core/bus.h"
#include "bus-service/core/testing/bus_harness.h"
#include "bus-service/store/sqlite_event_log.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;

class BusLossTest : public testing::Test {
 protected:
  BusLossTest() { Start(); }

  // Nothing that comes is left for later.
  void Settle() {
    for (int round = 0; round < 3; ++round) {
      bus_->bus.EndTurn();
      ASSERT_TRUE(posts_.Sync(*log_).ok());
      bus_->Flush();
    }
  }
  // Events called by their sequences.
  void PublishUpTo(Sequence last) {
    for (Sequence next = log_->GetStats().last_sequence + 1; next <= last; ++next) {
      const std::string id = std::to_string(next);
      bus_->Publish({.id = id,
                     .key = id,
                     .parent = next == 1 || next > 9 ? "" : std::to_string(next - 1),
                     .wait_policy = WaitPolicy::kDurable});
      Settle();
    }
  }
  void Restart(bool accept_data_loss = false) {
    Stop();
    Start(accept_data_loss);
  }
  // The events are gone from the file, and the operator accepts it.
  void Lose(const std::string& where) {
    Stop();
    {
      auto database = *SqliteDatabase::Open(data_ + "/journal.db");
      ASSERT_TRUE(database->Execute(("DELETE FROM events WHERE " + where).c_str()).ok());
    }
    Start(true);
  }
  const Subscription& SubscriptionOf(const std::string& name) { return *bus_->bus.registry().listeners().at(name).subscription; }
  // Every event, one of which the listener acknowledges after the other.
  Ids AckEverything(ScriptedListener& listener) {
    for (int round = 0; round < 20; ++round) {
      Settle();
      if (listener.Held().empty() && SubscriptionOf(listener.name()).backlog() == 0) break;
      listener.AckAll();
    }
    return listener.Order();
  }
  absl::StatusOr<Sequence> Find(EventKey key) {
    std::optional<absl::StatusOr<Sequence>> found;
    bus_->bus.Find(key, [&](const absl::StatusOr<Publication*>& publication) {
      found = publication.ok() ? absl::StatusOr<Sequence>((*publication)->event->sequence) : publication.status();
    });
    posts_.RunUntil("the event", [&] { return found.has_value(); });
    return *found;
  }
  absl::StatusOr<Sequence> Resolve(const StartPosition& position) { return bus_->bus.registry().Resolve(position); }
  Tracer::Tree Trace(const std::string& id) {
    EventPtr event;
    log_->FindByEventId(id, [&](absl::StatusOr<EventPtr> found) { event = *found; });
    posts_.RunUntil("the event", [&] { return event != nullptr; });
    std::optional<Tracer::Tree> tree;
    bus_->bus.tracer().Trace(event, [&](absl::StatusOr<Tracer::Tree> found) { tree = *std::move(found); });
    while (!tree) {
      bus_->Advance(std::chrono::milliseconds(1));
      if (posts_.size() > 0) posts_.RunOne("children");
    }
    return *std::move(tree);
  }
  BusHarness& bus() { return *bus_; }

 private:
  void Stop() {
    Settle();
    bus_->bus.StartDrain();
    bus_->bus.EndAll();
    bus_->bus.EndTurn();
    log_->Close();
    bus_ = nullptr;
    log_ = nullptr;
  }
  void Start(bool accept_data_loss = false) {
    posts_ = PostQueue();
    auto opened = SqliteEventLog::Open(data_, 64 << 20, posts_.Post(), logger_, accept_data_loss);
    if (!opened.ok()) throw std::runtime_error(opened.status().ToString());
    log_ = std::move(opened->log);
    EXPECT_FALSE(log_->read_only());
    bus_ = std::make_unique<BusHarness>(*log_, *log_, std::make_unique<SeededRandom>(1));
    bus_->bus.Restore(opened->recovery);
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  NullLogger logger_;
  PostQueue posts_;
  std::unique_ptr<SqliteEventLog> log_;
  std::unique_ptr<BusHarness> bus_;
};

TEST_F(BusLossTest, AListenerThatWasAwayHasOneIncidentAndGetsTheRestByItself) {
  bus().Connect("away").Drain();
  PublishUpTo(10);

  Lose("sequence IN (4, 5, 6, 8)");

  for (int life = 0; life < 2; ++life) {
    SCOPED_TRACE(life);
    const Subscription& away = SubscriptionOf("away");
    EXPECT_EQ(away.backlog(), 6u) << "what is lost is not waited for";
    ASSERT_EQ(away.incidents().size(), 1u);
    const Incident& incident = away.incidents()[0];
    EXPECT_EQ(incident.kind, "DATA_LOSS");
    EXPECT_EQ(incident.first, 4u);
    EXPECT_EQ(incident.last, 8u);
    EXPECT_NE(incident.message.find("4..6, 8"), std::string::npos) << incident.message;
    EXPECT_GT(incident.time, SystemTime());
    Restart();
  }
  EXPECT_EQ(AckEverything(bus().Connect("away")), (Ids{"1", "2", "3", "7", "9", "10"}));
  EXPECT_EQ(SubscriptionOf("away").floor(), 11u);
}

TEST_F(BusLossTest, WhoHadSettledEverythingHasNoIncidentAndWhoHadNotOnlyOfTheRest) {
  auto& done = bus().Connect("done");
  auto& holds = bus().Connect("holds");
  PublishUpTo(10);
  done.AckAll();
  for (const char* id : {"1", "2", "3", "4", "6", "7", "8", "9", "10"}) holds.Ack(id);

  Lose("sequence BETWEEN 3 AND 6");

  EXPECT_TRUE(SubscriptionOf("done").incidents().empty());
  ASSERT_EQ(SubscriptionOf("holds").incidents().size(), 1u);
  EXPECT_EQ(SubscriptionOf("holds").incidents()[0].first, 5u);
  EXPECT_EQ(SubscriptionOf("holds").incidents()[0].last, 5u);
  EXPECT_EQ(SubscriptionOf("holds").backlog(), 0u);
  EXPECT_EQ(SubscriptionOf("holds").floor(), 11u);
}

TEST_F(BusLossTest, AnotherLossIsAnotherIncidentAndTheFirstIsNotToldAgain) {
  bus().Connect("away").Drain();
  PublishUpTo(10);
  Lose("sequence = 4");

  Lose("sequence = 7");

  const auto& incidents = SubscriptionOf("away").incidents();
  ASSERT_EQ(incidents.size(), 2u);
  EXPECT_EQ(incidents[1].first, 7u);
  EXPECT_EQ(incidents[1].last, 7u);
  EXPECT_EQ(SubscriptionOf("away").backlog(), 8u);
}

TEST_F(BusLossTest, TheEndOfTheJournalMayBeLostAndDeliveryGoesOnAfterIt) {
  bus().Connect("away").Drain();
  PublishUpTo(10);

  Lose("sequence > 7");
  auto& away = bus().Connect("away");
  AckEverything(away);
  PublishUpTo(12);

  EXPECT_EQ(AckEverything(away), (Ids{"1", "2", "3", "4", "5", "6", "7", "11", "12"}));
  EXPECT_EQ(SubscriptionOf("away").backlog(), 0u);
}

TEST_F(BusLossTest, ALostEventIsSaidToBeLostByItsSequenceAndMayBeMeantByAnUnknownId) {
  PublishUpTo(10);

  Lose("sequence BETWEEN 4 AND 6");

  const absl::Status lost = Find({EventKey::Kind::kSequence, {}, 5}).status();
  EXPECT_EQ(lost.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(lost), "EVENT_LOST");
  EXPECT_EQ(ErrorMetadata(lost)["first_sequence"], "4");
  EXPECT_EQ(ErrorMetadata(lost)["last_sequence"], "6");
  const absl::Status unknown = Find({EventKey::Kind::kEventId, "5"}).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(unknown.message().find("lost"), absl::string_view::npos) << unknown;
  EXPECT_EQ(Find({EventKey::Kind::kSequence, {}, 11}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*Find({EventKey::Kind::kSequence, {}, 7}), 7u);
}

TEST_F(BusLossTest, APositionMayBeALostEventAlsoWhenTheJournalBeginsWithIt) {
  PublishUpTo(10);

  Lose("sequence < 4 OR sequence = 7");

  EXPECT_EQ(*Resolve({.kind = StartPosition::Kind::kEarliest}), 1u);
  EXPECT_EQ(*Resolve({.kind = StartPosition::Kind::kSequence, .sequence = 2}), 2u);
  EXPECT_EQ(*Resolve({.kind = StartPosition::Kind::kSequence, .sequence = 7}), 7u);
  auto& late = bus().Add("late");
  late.registration.start_position = {.kind = StartPosition::Kind::kSequence, .sequence = 2};
  late.Connect();
  EXPECT_EQ(AckEverything(late), (Ids{"4", "5", "6", "8", "9", "10"}));
  EXPECT_TRUE(SubscriptionOf("late").incidents().empty()) << "it was not there";
}

TEST_F(BusLossTest, WhenEverythingIsLostTheJournalBeginsWithALoss) {
  PublishUpTo(10);

  Lose("1");

  EXPECT_EQ(*Resolve({.kind = StartPosition::Kind::kEarliest}), 1u);
  PublishUpTo(11);
  EXPECT_EQ(*Resolve({.kind = StartPosition::Kind::kEarliest}), 1u);
}

TEST_F(BusLossTest, ATreeWhoseMiddleIsLostIsStillOneTree) {
  PublishUpTo(9);  // each is the child of the one before

  Lose("sequence IN (3, 4, 8)");

  for (const char* id : {"1", "9"}) {
    SCOPED_TRACE(id);
    const Tracer::Tree tree = Trace(id);
    std::vector<std::pair<Sequence, uint32_t>> nodes;
    for (const Tracer::Node& node : tree.nodes) nodes.emplace_back(node.event->sequence, node.depth);
    if (std::string(id) == "1") {
      // What came of an event that nobody knows is not known either.
      EXPECT_EQ(nodes, (std::vector<std::pair<Sequence, uint32_t>>{{1, 0}, {2, 1}}));
      continue;
    }
    EXPECT_EQ(nodes, (std::vector<std::pair<Sequence, uint32_t>>{{1, 0}, {2, 1}, {5, 2}, {6, 3}, {7, 4}, {9, 5}}));
    EXPECT_EQ(tree.lost, (std::vector<Sequence>{3, 4, 8}));
  }
}

}  // namespace
}  // namespace pvebus::bus
