#include "bus-service/store/sqlite_event_log.h"

#include <sys/stat.h>

#include "bus-service/store/journal_schema.h"
#include "bus-service/store/testing/log_driver.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

class SqliteEventLogTest : public testing::Test {
 protected:
  static void ExpectEvents(LogDriver& driver, Sequence last, size_t body_bytes = 40) {
    const auto events = driver.ReadAll();
    ASSERT_TRUE(events.ok()) << events.status();
    ASSERT_EQ(events->size(), last);
    for (Sequence sequence = 1; sequence <= last; ++sequence) {
      ASSERT_TRUE(Same(*(*events)[sequence - 1], *MakeEvent(sequence, body_bytes))) << sequence;
    }
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  LogDriver driver_{data_};
};

TEST_F(SqliteEventLogTest, DirectoryAndFilesAreForTheirOwnerOnly) {
  LogDriver driver(directory_ / "deep/er/data");
  ASSERT_TRUE(driver.Open().ok());
  driver.Append(1, 1);

  const auto mode = [&](const std::string& name) {
    struct stat info {};
    EXPECT_EQ(stat((directory_ / ("deep/er/data" + name)).c_str(), &info), 0) << name;
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode(""), 0700u);
  for (const char* name : {"/journal.db", "/journal.db-wal", "/journal.mark", "/lock"}) EXPECT_EQ(mode(name), 0600u) << name;
}

TEST_F(SqliteEventLogTest, TheSecondBusInADirectoryIsToldSo) {
  ASSERT_TRUE(driver_.Open().ok());
  LogDriver second(data_);

  const absl::Status status = second.Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find(data_), absl::string_view::npos) << status;
  driver_.Shut();
  EXPECT_TRUE(second.Open().ok()) << "the first has left";
}

TEST_F(SqliteEventLogTest, AnEmptyFileIsAJournalWithoutEvents) {
  std::filesystem::create_directories(data_);
  WriteFile(data_ + "/journal.db", "");

  ASSERT_TRUE(driver_.Open().ok());
  EXPECT_FALSE(driver_.log().read_only());
  EXPECT_EQ(driver_.recovery().last_sequence, 0u);
  EXPECT_TRUE(driver_.Read(1)->empty());
}

TEST_F(SqliteEventLogTest, ANewerSchemaIsRefusedAndLeftAlone) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Shut();
  (*SqliteDatabase::Open(data_ + "/journal.db"))->Execute("PRAGMA user_version=99").IgnoreError();

  const absl::Status status = driver_.Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("schema version 99"), absl::string_view::npos) << status;
}

TEST_F(SqliteEventLogTest, AForeignDatabaseIsRefused) {
  std::filesystem::create_directories(data_);
  ASSERT_TRUE((*SqliteDatabase::Open(data_ + "/journal.db"))->Execute("CREATE TABLE mine (x)").ok());

  EXPECT_EQ(driver_.Open().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SqliteEventLogTest, WhatIsAcknowledgedIsInTheFilesBeforeTheCallback) {
  ASSERT_TRUE(driver_.Open().ok());
  std::vector<Sequence> order;
  for (Sequence sequence = 1; sequence <= 3; ++sequence) {
    driver_.log().Append(MakeEvent(sequence), [&, sequence](const absl::Status& status) {
      ASSERT_TRUE(status.ok());
      order.push_back(sequence);
      LogDriver crashed(directory_ / ("copy" + std::to_string(sequence)));
      CopyJournal(data_, crashed.directory());
      ASSERT_TRUE(crashed.Open().ok());
      EXPECT_FALSE(crashed.log().read_only());
      EXPECT_GE(crashed.ReadAll()->size(), sequence);
    });
  }
  driver_.posts().RunUntil("three acknowledgements", [&] { return order.size() == 3; });
  EXPECT_EQ(order, (std::vector<Sequence>{1, 2, 3}));
}

TEST_F(SqliteEventLogTest, CloseStoresWhatIsThereAndCallsNobody) {
  ASSERT_TRUE(driver_.Open().ok());
  int calls = 0;
  for (Sequence sequence = 1; sequence <= 50; ++sequence)
    driver_.log().Append(MakeEvent(sequence), [&](const absl::Status&) { ++calls; });
  driver_.log().SaveProgress(1, {9, 0, {}});
  driver_.log().SaveListener(1, MakeSnapshot("a"));
  driver_.log().ReadChildren(1, 10, [&](const auto&) { ++calls; });
  driver_.log().Close();
  while (driver_.posts().size() > 0) driver_.posts().RunOne("what was posted before");

  EXPECT_EQ(calls, 0);
  ASSERT_TRUE(driver_.Open().ok());
  ExpectEvents(driver_, 50);
  EXPECT_EQ(driver_.recovery().listeners.at(0).progress.next_sequence, 9u);
}

TEST_F(SqliteEventLogTest, EventsBeyondTheTailAreReadFromTheDiskAndThoseInItDuringTheCall) {
  ASSERT_TRUE(driver_.Open().ok());
  constexpr Sequence kEvents = 3000;
  constexpr size_t kBody = 10'000;  // twice what the tail holds
  driver_.Append(1, kEvents, kBody);

  bool during = false;
  driver_.log().Read(kEvents - 5, 100, 1 << 30, [&](const auto& events) {
    during = true;
    EXPECT_EQ(events->size(), 6u);
  });
  EXPECT_TRUE(during);
  during = false;
  driver_.log().Read(1, 100, 1 << 30, [&](const auto&) { during = true; });
  EXPECT_FALSE(during) << "it was not in memory";
  driver_.posts().RunUntil("the read", [&] { return during; });
  ExpectEvents(driver_, kEvents, kBody);
  EXPECT_EQ(driver_.Read(kEvents + 1)->size(), 0u);
  ASSERT_TRUE(driver_.Open().ok());
  ExpectEvents(driver_, kEvents, kBody);
}

TEST_F(SqliteEventLogTest, ReadsEndAfterSoManyEventsOrBytesButHaveOne) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 2500, 10'000);
  const size_t each = MakeEvent(1, 10'000)->Bytes();

  for (const Sequence from : {10, 2400}) {
    EXPECT_EQ(driver_.Read(from, 3)->size(), 3u) << from;
    EXPECT_EQ(driver_.Read(from, 10, 3 * each)->size(), 3u) << from;
    EXPECT_EQ(driver_.Read(from, 10, 3 * each - 1)->size(), 2u) << from;
    EXPECT_EQ(driver_.Read(from, 10, 1)->size(), 1u) << from;
  }
}

TEST_F(SqliteEventLogTest, ChunksAreDroppedWithTheirDeliveriesAndSequencesAreNotUsedAgain) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 600);
  const auto chunk = *driver_.log().OldestChunk();
  EXPECT_LE(chunk.event_count, kSegmentEvents);
  EXPECT_GE(chunk.event_bytes, kSegmentBytes);
  EXPECT_EQ(chunk.end, chunk.event_count + 1);
  EXPECT_EQ(chunk.newest, MakeEvent(chunk.end - 1)->publish_time);
  for (const Sequence sequence : {Sequence{1}, chunk.end - 1, chunk.end}) driver_.log().SaveDelivery(1, MakeDelivery(sequence));
  driver_.log().DropOldestChunk();

  EXPECT_EQ(driver_.log().first_sequence(), chunk.end);
  EXPECT_EQ(driver_.Read(1)->front()->sequence, chunk.end);
  EXPECT_TRUE(driver_.ReadDeliveries(chunk.end - 1)->empty());
  EXPECT_EQ(driver_.ReadDeliveries(chunk.end)->size(), 1u);
  driver_.log().DropOldestChunk();
  const auto open = *driver_.log().OldestChunk();
  EXPECT_EQ(open.end, 601u) << "the open one, when it is what is left";
  EXPECT_LT(open.event_bytes, kSegmentBytes);
  driver_.log().DropOldestChunk();
  EXPECT_FALSE(driver_.log().OldestChunk().has_value());
  EXPECT_EQ(driver_.log().GetStats().event_bytes, 0u);
  ASSERT_TRUE(driver_.Sync().ok());
  ASSERT_TRUE(driver_.Open().ok());
  EXPECT_FALSE(driver_.log().read_only()) << driver_.log().GetStats().problems[0].message;
  EXPECT_EQ(driver_.recovery().last_sequence, 600u);
  EXPECT_EQ(driver_.recovery().last_publish_time, MakeEvent(600)->publish_time);
  EXPECT_TRUE(driver_.ReadAll()->empty());
  driver_.Append(601, 700);
  EXPECT_EQ(driver_.ReadAll()->size(), 100u);
  EXPECT_EQ(driver_.Verify().problems.size(), 0u);
}

// The bus drops what it takes for the open segment, while the writer closes it over newer events.
TEST_F(SqliteEventLogTest, ASegmentThatIsClosedWhileItIsDroppedLosesOnlyItsBeginning) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 100);
  for (Sequence sequence = 101; sequence <= 300; ++sequence) driver_.Append(MakeEvent(sequence));
  driver_.posts().Await("the writer to have stored them");
  driver_.log().DropOldestChunk();  // what was acknowledged: 1..100
  driver_.AwaitAppends();
  driver_.Append(301, 700);

  const auto expect = [&] {
    EXPECT_EQ(driver_.log().first_sequence(), 101u);
    const auto events = driver_.ReadAll();
    ASSERT_TRUE(events.ok()) << events.status();
    EXPECT_EQ(events->size(), 600u);
    const auto verified = driver_.Verify();
    EXPECT_EQ(verified.events, 600u);
    for (const JournalProblem& problem : verified.problems) ADD_FAILURE() << problem.message;
    EXPECT_EQ((*driver_.FindByEventId("event-101"))->sequence, 101u);
    EXPECT_EQ(*driver_.FindByEventId("event-100"), nullptr);
  };
  expect();
  ASSERT_TRUE(driver_.Open().ok());
  expect();
  EXPECT_EQ(driver_.log().GetStats().event_count, 600u);
}

TEST_F(SqliteEventLogTest, SizesAndTimesAreTheSameAfterARestart) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 1000, 300);
  const EventLog::Stats before = driver_.log().GetStats();
  EXPECT_EQ(before.event_count, 1000u);
  EXPECT_EQ(before.event_bytes, 1000 * MakeEvent(1, 300)->Bytes());
  ASSERT_TRUE(driver_.Open().ok());

  const EventLog::Stats after = driver_.log().GetStats();
  EXPECT_TRUE(after.durable);
  EXPECT_EQ(after.event_count, before.event_count);
  EXPECT_EQ(after.event_bytes, before.event_bytes);
  EXPECT_EQ(after.first_sequence, 1u);
  EXPECT_EQ(after.last_sequence, 1000u);
  EXPECT_EQ(driver_.recovery().last_publish_time, MakeEvent(1000)->publish_time);
  for (const Sequence sequence : {1, 255, 256, 257, 999, 1000}) {
    EXPECT_EQ(*driver_.FindByTime(MakeEvent(sequence)->publish_time), sequence);
  }
  EXPECT_EQ(*driver_.FindByTime(SystemTime()), 1u);
  EXPECT_EQ(*driver_.FindByTime(MakeEvent(1001)->publish_time), 1001u);
}

TEST_F(SqliteEventLogTest, TimesAreFoundThoughTheClockWentBack) {
  ASSERT_TRUE(driver_.Open().ok());
  const auto at = [](int64_t second) { return FromNanos(1'700'000'000'000'000'000 + second * 1'000'000'000); };
  for (Sequence sequence = 1; sequence <= 1000; ++sequence) {
    auto event = MakeEvent(sequence);
    event->publish_time = at(static_cast<int64_t>(sequence > 500 && sequence <= 800 ? sequence - 400 : sequence));
    driver_.Append(std::move(event));
  }
  driver_.AwaitAppends();
  const auto expect = [&] {
    for (const int64_t second : {1, 200, 500, 801, 1000})
      EXPECT_EQ(*driver_.FindByTime(at(second)), static_cast<Sequence>(second));
    EXPECT_EQ(*driver_.FindByTime(at(501)), 801u);
    EXPECT_EQ(*driver_.FindByTime(at(1001)), 1001u);
  };
  expect();
  ASSERT_TRUE(driver_.Open().ok());
  expect();
}

TEST_F(SqliteEventLogTest, IdsAreFoundInTheTailOnTheDiskAndAfterARestart) {
  ASSERT_TRUE(driver_.Open().ok());
  SeededRandom random(1);
  std::vector<std::string> own;
  for (Sequence sequence = 1; sequence <= 1500; ++sequence) {
    auto event = MakeEvent(sequence, 20'000);
    event->publish_time = FromNanos(1'700'000'000'000'000'000 + static_cast<int64_t>(sequence) * 300'000);
    if (sequence % 2) event->event_id = MakeEventId(event->publish_time, random);  // as the bus makes them
    own.push_back(event->event_id);
    driver_.Append(std::move(event));
  }
  driver_.AwaitAppends();
  const auto expect = [&] {
    for (Sequence sequence = 1; sequence <= 1500; sequence += 7) {
      const auto by_event = driver_.FindByEventId(own[sequence - 1]);
      ASSERT_TRUE(by_event.ok() && *by_event) << sequence;
      EXPECT_EQ((*by_event)->sequence, sequence);
      EXPECT_TRUE(driver_.log().MayHaveEventId(own[sequence - 1]));
      if (sequence % 2 == 0) continue;
      const auto by_request = driver_.FindByRequestId("request-" + std::to_string(sequence));
      ASSERT_TRUE(by_request.ok() && *by_request) << sequence;
      EXPECT_EQ((*by_request)->sequence, sequence);
    }
    for (const char* id : {"event-1501", "request-1", "", "018bcfe5-6800-7000-8000-000000000000"}) {
      EXPECT_EQ(*driver_.FindByEventId(id), nullptr) << id;
      EXPECT_EQ(*driver_.FindByRequestId("event-2"), nullptr);
    }
  };
  expect();
  ASSERT_TRUE(driver_.Open().ok());
  expect();
}

TEST_F(SqliteEventLogTest, AnIdThatNobodyUsedIsDecidedDuringTheCall) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 5000);

  int answers = 0;
  for (int i = 0; i < 1000; ++i) {
    driver_.log().FindByEventId("other-" + std::to_string(i), [&](const auto& event) { answers += *event == nullptr; });
    driver_.log().FindByRequestId("other-" + std::to_string(i), [&](const auto& event) { answers += *event == nullptr; });
    EXPECT_FALSE(driver_.log().MayHaveRequestId("other-" + std::to_string(i)));
  }
  EXPECT_EQ(answers, 2000);
}

TEST_F(SqliteEventLogTest, AnIdOfADroppedEventIsFreeAgain) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 256);
  driver_.log().DropOldestChunk();
  EXPECT_EQ(*driver_.FindByEventId("event-5"), nullptr);
  EXPECT_FALSE(driver_.log().MayHaveEventId("event-5"));
  auto again = MakeEvent(257);
  again->event_id = "event-5";
  driver_.Append(std::move(again));
  driver_.AwaitAppends();

  EXPECT_EQ((*driver_.FindByEventId("event-5"))->sequence, 257u);
  ASSERT_TRUE(driver_.Open().ok());
  EXPECT_EQ((*driver_.FindByEventId("event-5"))->sequence, 257u);
}

TEST_F(SqliteEventLogTest, ChildrenAndCountsComeFromTheWholeJournal) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 1000);

  EXPECT_EQ(SequencesOf(*driver_.ReadChildren(500, 10)), (std::vector<Sequence>{501}));
  EXPECT_EQ(driver_.ReadChildren(1, 1)->size(), 1u);
  EXPECT_TRUE(driver_.ReadChildren(1000, 10)->empty());
  EXPECT_EQ(*driver_.Count(1, 1000, [](const Event& event) { return event.sequence % 10 == 0; }), 100u);
  EXPECT_EQ(*driver_.Count(991, 5000, [](const Event&) { return true; }), 10u);
  EXPECT_EQ(*driver_.Count(2000, 5000, [](const Event&) { return true; }), 0u);
}

TEST_F(SqliteEventLogTest, AShortReadDoesNotWaitForALongCount) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 3000, 10'000);
  std::vector<std::string> order;
  // As slow as a count of millions.
  driver_.log().Count(
      1, 3000,
      [](const Event&) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
        while (std::chrono::steady_clock::now() < until) {
        }
        return true;
      },
      [&](const auto&) { order.emplace_back("count"); });
  driver_.log().Read(1, 10, 1 << 20, [&](const auto&) { order.emplace_back("read"); });
  driver_.posts().RunUntil("both", [&] { return order.size() == 2; });

  EXPECT_EQ(order, (std::vector<std::string>{"read", "count"}));
}

TEST_F(SqliteEventLogTest, ReadersOfStateSeeWhatWasSavedJustBefore) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 3);
  driver_.log().SaveDelivery(7, MakeDelivery(2));
  driver_.log().SaveDelivery(3, MakeDelivery(2));

  const auto deliveries = driver_.ReadDeliveries(2);
  ASSERT_EQ(deliveries->size(), 2u);
  EXPECT_EQ((*deliveries)[0].first, 3u);
  EXPECT_TRUE(Same((*deliveries)[1].second, MakeDelivery(2)));
  driver_.log().SaveDeadLetter(MakeDeadLetter(1, 7));
  EXPECT_TRUE(Same(driver_.ReadDeadLetters(0)->at(0), MakeDeadLetter(1, 7)));
  driver_.log().RemoveDeadLetter(1);
  EXPECT_TRUE(driver_.ReadDeadLetters(0)->empty());
  driver_.log().SaveReplays({{1, 7, "r", 2, true, 0}});
  EXPECT_EQ(driver_.ReadReplays(7, 0)->size(), 1u);
  driver_.log().RemoveReplay(7, 1);
  EXPECT_TRUE(driver_.ReadReplays(7, 0)->empty());
}

TEST_F(SqliteEventLogTest, DeadLettersAndReplaysAreReadInPagesAndGoWithTheirListener) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 2);
  for (uint64_t id = 1; id <= 3; ++id) driver_.log().SaveDeadLetter(MakeDeadLetter(id, id == 3 ? 2 : 1));
  driver_.log().SaveReplays(
      {{1, 1, "r", 2, true, 0}, {2, 1, "r", 102, false, 2}, {3, 1, "r", 77, false, 0}, {4, 2, "r", 1, false, 0}});

  const auto letters = driver_.ReadDeadLetters(1, 1);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_TRUE(Same((*letters)[0], MakeDeadLetter(2, 1)));
  EXPECT_EQ(driver_.ReadDeadLetters(0, 10, 1)->size(), 1u);
  const auto replays = driver_.ReadReplays(1, 0);
  ASSERT_EQ(replays->size(), 3u);
  EXPECT_TRUE(Same((*replays)[0].first, Replay{1, 1, "r", 2, true, 0}));
  EXPECT_TRUE(Same(*(*replays)[0].second, *MakeEvent(2)));
  EXPECT_TRUE(Same(*(*replays)[1].second, *MakeEvent(102))) << "the dead letter's own copy";
  EXPECT_EQ((*replays)[2].second, nullptr);
  EXPECT_EQ(driver_.ReadReplays(1, 2)->size(), 1u);
  driver_.log().SaveListener(1, MakeSnapshot("a"));
  driver_.log().DropListener(1);
  EXPECT_EQ(driver_.ReadDeadLetters(0)->size(), 1u);
  EXPECT_TRUE(driver_.ReadReplays(1, 0)->empty());
  ASSERT_TRUE(driver_.Open().ok());
  EXPECT_FALSE(driver_.log().read_only());
  EXPECT_TRUE(driver_.recovery().listeners.empty());
  EXPECT_EQ(driver_.recovery().last_listener_id, 1u) << "never given again";
  EXPECT_EQ(driver_.recovery().last_dead_letter_id, 3u);
  EXPECT_EQ(driver_.recovery().last_replay_number, 4u);
}

TEST_F(SqliteEventLogTest, AJournalOfTheVersionBeforeIsBroughtToThisOne) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 3);
  driver_.Shut();
  ASSERT_TRUE((*SqliteDatabase::Open(data_ + "/journal.db"))->Execute("PRAGMA user_version=1").ok());

  ASSERT_TRUE(driver_.Open().ok());

  EXPECT_FALSE(driver_.log().read_only());
  ExpectEvents(driver_, 3);
  EXPECT_EQ(*(*SqliteDatabase::Open(data_ + "/journal.db"))->QueryNumber("PRAGMA user_version"), 2);
}

TEST_F(SqliteEventLogTest, WhatWaitsForADeletedListenerGoesSomeAtATimeAndTheNextStartGoesOn) {
  constexpr uint64_t kLetters = 5000;
  const auto rows = [](const std::string& directory) {
    auto database = SqliteDatabase::Open(directory + "/journal.db");
    return *(*database)->QueryNumber("SELECT (SELECT count(*) FROM dead_letters) + (SELECT count(*) FROM replays)");
  };
  ASSERT_TRUE(driver_.Open().ok());
  for (const ListenerId listener : {1, 2}) {
    driver_.log().SaveListener(listener, MakeSnapshot(listener == 1 ? "a" : "b"));
    driver_.log().SaveProgress(listener, {1, 0, {}});
  }
  for (uint64_t id = 1; id <= kLetters; ++id) driver_.log().SaveDeadLetter(MakeDeadLetter(id, id == 7 ? 2 : 1));
  for (uint64_t number = 1; number <= kLetters; ++number) driver_.log().SaveReplays({{number, 1, "r", 1, false, number}});
  ASSERT_TRUE(driver_.Sync().ok());
  auto deleted = MakeSnapshot("a");
  deleted.deleted_after = 0;
  driver_.log().SaveListener(1, deleted);
  driver_.log().DropWaiting(1);

  EXPECT_EQ(driver_.ReadDeadLetters(0)->size(), 1u) << "gone at once for readers";
  driver_.Append(1, 1);  // and events are stored meanwhile
  EXPECT_GT(rows(data_), 1) << "the files are not there yet";
  driver_.posts().Await("the end of a step");  // the writer waits for what comes of it
  CopyJournal(data_, data_ + "-crash");
  driver_.posts().RunUntil("the last row to go", [&] { return rows(data_) == 1; });
  driver_.Shut();

  LogDriver crashed(data_ + "-crash");
  ASSERT_TRUE(crashed.Open().ok());
  EXPECT_FALSE(crashed.log().read_only());
  EXPECT_EQ(crashed.recovery().listeners.size(), 1u);
  ASSERT_EQ(crashed.recovery().former_listeners.size(), 1u);
  EXPECT_EQ(crashed.recovery().former_listeners[0].snapshot.deleted_after, 0u);
  EXPECT_EQ(crashed.ReadDeadLetters(0)->size(), 1u);
  crashed.posts().RunUntil("the last row to go", [&] { return rows(crashed.directory()) == 1; });
  ASSERT_TRUE(crashed.Sync().ok());
  ASSERT_TRUE(crashed.Open().ok());
  EXPECT_FALSE(crashed.log().read_only()) << "dead letters are counted";
}

TEST_F(SqliteEventLogTest, DeadLettersTakeRoomLikeEvents) {
  const size_t event = MakeEvent(1)->Bytes();
  const size_t letter = BytesOf(MakeDeadLetter(1, 1));
  ASSERT_TRUE(driver_.Open(false, event + letter).ok());
  driver_.Append(1, 1);
  driver_.log().SaveDeadLetter(MakeDeadLetter(1, 1));
  driver_.log().SaveDeadLetter(MakeDeadLetter(1, 1));

  EXPECT_FALSE(driver_.log().HasRoomFor(1));
  ASSERT_TRUE(driver_.Sync().ok());
  ASSERT_TRUE(driver_.Open(false, event + letter).ok());
  EXPECT_FALSE(driver_.log().HasRoomFor(1));
  driver_.log().RemoveDeadLetter(1);
  EXPECT_TRUE(driver_.log().HasRoomFor(letter));
}

TEST_F(SqliteEventLogTest, OpeningGivesTheUnsettledAndTheNewestNotTheRest) {
  ASSERT_TRUE(driver_.Open().ok());
  driver_.Append(1, 5000);
  driver_.log().SaveListener(4, MakeSnapshot("a"));
  driver_.log().SaveInterest(4, {0, 2, "x"});
  driver_.log().SaveProgress(4, {4990, 7, {1, 3}, {{5, 6}}, 12, 4500});
  for (const Sequence sequence : {2, 3, 4992}) driver_.log().SaveDelivery(4, MakeDelivery(sequence));
  driver_.log().SaveDelivery(5, MakeDelivery(3));
  driver_.log().SaveDeadLetter(MakeDeadLetter(8, 4));
  driver_.log().SaveReplays({{1, 4, "r", 2, false, 8}, {2, 4, "r", 2, false, 0}});
  ASSERT_TRUE(driver_.Sync().ok());
  ASSERT_TRUE(driver_.Open().ok());

  const Recovery& recovery = driver_.recovery();
  EXPECT_EQ(recovery.newest.back()->sequence, 5000u);
  EXPECT_LE(recovery.newest.front()->sequence, 4501u);
  EXPECT_LT(recovery.newest.size(), 2000u);
  ASSERT_EQ(recovery.listeners.size(), 1u);
  const Recovery::Listener& listener = recovery.listeners[0];
  EXPECT_TRUE(Same(listener.snapshot, MakeSnapshot("a")));
  EXPECT_TRUE(Same(listener.progress, {4990, 7, {1, 3}, {{5, 6}}, 12, 4500}));
  ASSERT_EQ(listener.deliveries.size(), 2u) << "2 is settled";
  EXPECT_TRUE(Same(listener.deliveries[0], MakeDelivery(3)));
  EXPECT_TRUE(Same(listener.deliveries[1], MakeDelivery(4992)));
  EXPECT_EQ(SequencesOf(listener.unsettled), (std::vector<Sequence>{1, 3}));
  EXPECT_EQ(listener.dead_letter_count, 1u);
  EXPECT_EQ(listener.replay_count, 2u);
  EXPECT_EQ(listener.redrive_count, 1u);
}

}  // namespace
}  // namespace pvebus::bus
