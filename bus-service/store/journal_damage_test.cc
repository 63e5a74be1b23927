// A byte that changed or is gone never becomes a wrong answer, nor silence: it is named, or did not matter.
#include <map>

#include "absl/strings/str_format.h"
#include "bus-service/store/testing/log_driver.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

constexpr Sequence kEvents = 300;  // one segment, and some
constexpr size_t kBodyBytes = 200;
constexpr ListenerId kListener = 4;

// Everything that a journal answers.
struct Contents {
  std::map<Sequence, EventPtr> events;
  std::vector<Recovery::Listener> listeners;
  StateLog::Deliveries deliveries;
  std::vector<DeadLetter> letters;
  StateLog::Replays replays;
  std::vector<Sequence> found_by_id;
  Sequence last_sequence = 0;
  bool failed = false;  // some question had an error for an answer
};

Contents Ask(LogDriver& driver) {
  Contents contents;
  contents.last_sequence = driver.recovery().last_sequence;
  contents.listeners = driver.recovery().listeners;
  const auto take = [&](const auto& answer, auto& out) {
    contents.failed = contents.failed || !answer.ok();
    if (answer.ok()) out.insert(out.end(), answer->begin(), answer->end());
  };
  for (Sequence next = 1; next <= kEvents;) {
    const auto page = driver.Read(next, 50);
    contents.failed = contents.failed || !page.ok();
    if (page.ok()) {
      for (const EventPtr& event : *page) contents.events[event->sequence] = event;
    }
    next = page.ok() && !page->empty() ? page->back()->sequence + 1 : next + 1;
  }
  for (const Sequence sequence : {2, 280, 281}) take(driver.ReadDeliveries(sequence), contents.deliveries);
  take(driver.ReadDeadLetters(0), contents.letters);
  take(driver.ReadReplays(kListener, 0), contents.replays);
  for (const Sequence sequence : {1, 77, 290}) {
    const auto event = driver.FindByEventId("event-" + std::to_string(sequence));
    contents.failed = contents.failed || !event.ok();
    contents.found_by_id.push_back(event.ok() && *event ? (*event)->sequence : 0);
  }
  return contents;
}

bool Same(const Recovery::Listener& a, const Recovery::Listener& b) {
  Recovery x, y;
  x.listeners = {a};
  y.listeners = {b};
  return Same(x, y);
}

bool Same(const Contents& a, const Contents& b) {
  return a.last_sequence == b.last_sequence && !a.failed && !b.failed && a.found_by_id == b.found_by_id &&
         std::equal(a.events.begin(), a.events.end(), b.events.begin(), b.events.end(),
                    [](const auto& x, const auto& y) { return Same(*x.second, *y.second); }) &&
         std::equal(a.listeners.begin(), a.listeners.end(), b.listeners.begin(), b.listeners.end(),
                    [](const auto& x, const auto& y) { return Same(x, y); }) &&
         std::equal(a.deliveries.begin(), a.deliveries.end(), b.deliveries.begin(), b.deliveries.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && Same(x.second, y.second); }) &&
         std::equal(a.letters.begin(), a.letters.end(), b.letters.begin(), b.letters.end(),
                    [](const auto& x, const auto& y) { return Same(x, y); }) &&
         std::equal(a.replays.begin(), a.replays.end(), b.replays.begin(), b.replays.end(), [](const auto& x, const auto& y) {
           return Same(x.first, y.first) && !x.second == !y.second && (!x.second || Same(*x.second, *y.second));
         });
}

class JournalDamageTest : public testing::Test {
 protected:
  // The files of a journal: shut, and as a crash leaves them.
  void Write() {
    LogDriver driver(data_);
    ASSERT_TRUE(driver.Open().ok());
    driver.Append(1, kEvents - 40, kBodyBytes);
    SqliteEventLog& log = driver.log();
    log.SaveInterest(kListener, {0, 0, "event.type = custom"});
    log.SaveProgress(kListener, {280, 0, {2}, {{5, 6}}, 3, 290});
    for (const Sequence sequence : {2, 280, 281}) log.SaveDelivery(kListener, MakeDelivery(sequence));
    log.SaveListener(kListener, MakeSnapshot("a"));
    for (uint64_t id = 1; id <= 3; ++id) log.SaveDeadLetter(MakeDeadLetter(id, kListener));
    log.SaveReplays({{1, kListener, "r", 7, false, 2}, {2, kListener, "r", 9, true, 0}});
    for (Sequence sequence = kEvents - 39; sequence <= kEvents; ++sequence) driver.Append(sequence, sequence, kBodyBytes);
    DeliveryRecord last = MakeDelivery(281);
    last.attempt = 3;
    log.SaveDelivery(kListener, last);
    ASSERT_TRUE(driver.Sync().ok());
    CopyJournal(data_, crashed_);
    driver.Shut();  // checkpoints
    wal_ = ReadFile(crashed_ + "/journal.db-wal");
    wal_.resize(wal_.find_last_not_of('\0') + 1);  // the rest is room
    crashed_file_ = ReadFile(crashed_ + "/journal.db");
    file_ = ReadFile(data_ + "/journal.db");
    mark_ = ReadFile(data_ + "/journal.mark");
    ASSERT_GT(wal_.size(), 0u);
    ASSERT_FALSE(std::filesystem::exists(data_ + "/journal.db-wal"));
    LogDriver again(data_);
    ASSERT_TRUE(again.Open().ok());
    expected_ = Ask(again);
    ASSERT_FALSE(expected_.failed);
    ASSERT_EQ(expected_.events.size(), kEvents);
    ASSERT_EQ(expected_.listeners.size(), 1u);
    ASSERT_EQ(expected_.letters.size(), 3u);
    ASSERT_EQ(expected_.found_by_id, (std::vector<Sequence>{1, 77, 290}));
  }
  void Lay(const std::string& file, const std::string& wal, const std::string& mark) {
    std::filesystem::remove_all(damaged_);
    std::filesystem::create_directories(damaged_);
    WriteFile(damaged_ + "/journal.db", file);
    if (!wal.empty()) WriteFile(damaged_ + "/journal.db-wal", wal);
    WriteFile(damaged_ + "/journal.mark", mark);
  }
  // What the journal answers is right, or there is a named problem; and then nothing is stored any more.
  void ExpectNothingWrong(const std::string& file, const std::string& wal, const std::string& mark) {
    Lay(file, wal, mark);
    ExpectNothingWrong();
  }
  void ExpectNothingWrong() {
    LogDriver driver(damaged_);
    if (auto status = driver.Open(); !status.ok()) {
      ++refused_;
      EXPECT_NE(status.message().find("journal"), absl::string_view::npos) << status;
      return;
    }
    const Contents contents = Ask(driver);
    for (const auto& [sequence, event] : contents.events) {
      ASSERT_TRUE(expected_.events.contains(sequence));
      ASSERT_TRUE(Same(*event, *expected_.events.at(sequence))) << sequence;
    }
    if (Same(contents, expected_)) return;
    ++named_;
    EXPECT_TRUE(driver.log().read_only()) << "wrong, and nobody says so";
    EXPECT_FALSE(driver.log().GetStats().problems.empty());
    for (const JournalProblem& problem : driver.log().GetStats().problems) {
      EXPECT_FALSE(problem.part.empty() || problem.message.empty());
    }
    absl::Status refused;
    driver.log().Append(MakeEvent(contents.last_sequence + 1), [&](const absl::Status& status) { refused = status; });
    EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ErrorReason(refused), "JOURNAL_DAMAGED");
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  const std::string crashed_ = directory_ / "crashed";
  const std::string damaged_ = directory_ / "damaged";
  std::string file_;
  std::string crashed_file_;
  std::string wal_;
  std::string mark_;
  Contents expected_;
  int named_ = 0;
  int refused_ = 0;
};

TEST_F(JournalDamageTest, WholeFilesGiveEverything) {
  Write();
  ExpectNothingWrong(file_, {}, mark_);
  ExpectNothingWrong(crashed_file_, wal_, mark_);
  EXPECT_EQ(named_ + refused_, 0);
}

TEST_F(JournalDamageTest, AFlippedByteInTheFileIsNamedOrHarmless) {
  Write();
  for (size_t at = 0; at < file_.size(); at += at % 8192 < 64 ? 5 : 499) {
    std::string bytes = file_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    SCOPED_TRACE(at);
    ExpectNothingWrong(bytes, {}, mark_);
    if (HasFailure()) break;
  }
  EXPECT_GT(named_, 0);
}

TEST_F(JournalDamageTest, APageThatForgetsARowIsNamed) {
  Write();
  for (size_t page = 8192; page < file_.size(); page += 8192) {
    for (size_t at = page + 1; at < page + 12; ++at) {
      std::string bytes = file_;
      bytes[at] = static_cast<char>(bytes[at] - 1);
      SCOPED_TRACE(at);
      ExpectNothingWrong(bytes, {}, mark_);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(named_, 0);
}

TEST_F(JournalDamageTest, ACutFileIsNamedOrHarmless) {
  Write();
  for (size_t cut = 1; cut <= 64; cut += 3) {
    SCOPED_TRACE(cut);
    ExpectNothingWrong(file_.substr(0, file_.size() - cut), {}, mark_);
  }
  named_ = refused_ = 0;
  int cuts = 0;
  for (size_t size = 8192; size + 8192 <= file_.size(); size += 8192, ++cuts) {
    SCOPED_TRACE(size);
    ExpectNothingWrong(file_.substr(0, size), {}, mark_);
  }
  EXPECT_EQ(named_ + refused_, cuts);
}

TEST_F(JournalDamageTest, AWalThatLostAcknowledgedCommitsIsNamed) {
  Write();
  for (size_t cut = 1; cut <= 64; ++cut) {
    SCOPED_TRACE(cut);
    named_ = 0;
    ExpectNothingWrong(crashed_file_, wal_.substr(0, wal_.size() - cut), mark_);
    EXPECT_EQ(named_, 1);
  }
  for (size_t at = 0; at < wal_.size(); at += 8219) {
    SCOPED_TRACE(at);
    std::string bytes = wal_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    ExpectNothingWrong(crashed_file_, bytes, mark_);
  }
  named_ = 0;
  ExpectNothingWrong(crashed_file_, {}, mark_);
  EXPECT_EQ(named_, 1) << "no WAL at all";
}

TEST_F(JournalDamageTest, WhatTheMarkKnowsIsNamedWithBothNumbers) {
  Write();
  LogDriver driver(damaged_);
  // The last commit was one of state, the one before event 300.
  Lay(crashed_file_, wal_.substr(0, wal_.size() - 1), mark_);
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_NE(driver.log().GetStats().problems.at(0).message.find("changes of listeners"), std::string::npos)
      << driver.log().GetStats().problems[0].message;
  EXPECT_EQ(driver.log().GetStats().last_sequence, kEvents);
  driver.Shut();

  Lay(crashed_file_, wal_.substr(0, wal_.size() / 2), mark_);
  ASSERT_TRUE(driver.Open().ok());
  const JournalProblem problem = driver.log().GetStats().problems.at(0);
  EXPECT_EQ(problem.message.find(absl::StrFormat("events %d..300 were acknowledged and are missing", problem.sequence)), 0u)
      << problem.message;
  EXPECT_NE(problem.message.find(absl::StrFormat("event %d; journal.mark knows", problem.sequence - 1)), std::string::npos);
  EXPECT_EQ(driver.log().GetStats().last_sequence, kEvents) << "its sequences are never given out again";
  driver.Shut();
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_TRUE(driver.log().read_only()) << "a second start finds the same";
}

TEST_F(JournalDamageTest, AMarkThatIsDamagedOrGoneIsNamed) {
  Write();
  for (size_t at = 0; at < mark_.size(); ++at) {
    SCOPED_TRACE(at);
    std::string bytes = mark_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    Lay(file_, {}, bytes);
    LogDriver driver(damaged_);
    ASSERT_TRUE(driver.Open().ok());
    EXPECT_EQ(driver.log().GetStats().problems.at(0).part, "journal.mark");
  }
  for (size_t cut = 1; cut <= mark_.size(); ++cut) {
    Lay(file_, {}, mark_.substr(0, mark_.size() - cut));
    LogDriver driver(damaged_);
    ASSERT_TRUE(driver.Open().ok());
    EXPECT_EQ(driver.log().GetStats().problems.at(0).part, "journal.mark");
    EXPECT_EQ(driver.ReadAll()->size(), kEvents) << "reading goes on";
  }
}

TEST_F(JournalDamageTest, AnOlderMarkIsNoDamage) {
  Write();
  const std::string old = ReadFile(crashed_ + "/journal.mark");
  LogDriver driver(data_);
  ASSERT_TRUE(driver.Open().ok());
  driver.Append(kEvents + 1, kEvents + 10);
  driver.Shut();
  WriteFile(data_ + "/journal.mark", old);
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_FALSE(driver.log().read_only());
}

TEST_F(JournalDamageTest, AFileThatIsNoDatabaseAndOneThatIsGoneOpenReadOnly) {
  Write();
  const auto expect = [&](const std::string& what) {
    LogDriver driver(damaged_);
    ASSERT_TRUE(driver.Open().ok()) << what;
    EXPECT_TRUE(driver.log().read_only());
    EXPECT_EQ(driver.log().GetStats().problems.at(0).part, "journal.db");
    EXPECT_EQ(driver.log().GetStats().last_sequence, kEvents) << "the mark knows";
    EXPECT_EQ(driver.Read(1).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(driver.FindByEventId("event-1").status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(driver.ReadDeadLetters(0).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(driver.ReadDeliveries(1).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_FALSE(driver.Verify().problems.empty());
    absl::Status durable;
    driver.log().WhenDurable([&](const absl::Status& status) { durable = status; });
    EXPECT_EQ(durable.code(), absl::StatusCode::kDataLoss);
  };
  Lay("This is no database but a text that is longer than the header of one would be, I believe.....", {}, mark_);
  expect("no database");
  std::filesystem::remove(damaged_ + "/journal.db");
  expect("gone");
}

// Every cell that can be changed, changed in every way: another number, another byte at each end, one byte less.
TEST_F(JournalDamageTest, AChangeInAnyColumnOfAnyTableIsNamedOrHarmless) {
  Write();
  const std::map<std::string, std::string> tables = {{"journal", "1"},
                                                     {"events", "sequence=3"},
                                                     {"segments", "1"},
                                                     {"segment_ids", "1"},
                                                     {"listeners", "1"},
                                                     {"interests", "1"},
                                                     {"progress", "1"},
                                                     {"deliveries", "sequence=280"},
                                                     {"dead_letters", "dead_letter_id=2"},
                                                     {"replays", "number=1"}};
  int changed = 0;
  for (const auto& [table, where] : tables) {
    Lay(file_, {}, mark_);
    std::vector<std::string> columns;
    {
      auto database = *SqliteDatabase::Open(damaged_ + "/journal.db");
      auto query =
          *SqliteStatement::Prepare(*database, absl::StrFormat("SELECT name FROM pragma_table_info('%s')", table).c_str());
      while (*query->Step()) columns.emplace_back(query->Bytes(0));
    }
    for (const std::string& column : columns) {
      for (const std::string change : {"CASE typeof(%1$s) WHEN 'integer' THEN %1$s+1 ELSE CAST(%1$s||x'01' AS BLOB) END",
                                       "CASE typeof(%1$s) WHEN 'integer' THEN %1$s|(1<<40) ELSE "
                                       "CAST(x'7f'||substr(CAST(%1$s AS BLOB),2) AS BLOB) END",
                                       "CASE typeof(%1$s) WHEN 'integer' THEN -%1$s-1 ELSE "
                                       "CAST(substr(CAST(%1$s AS BLOB),1,length(CAST(%1$s AS BLOB))-1) AS BLOB) END"}) {
        SCOPED_TRACE(table + "." + column + " = " + change);
        std::string value = change;
        for (size_t at; (at = value.find("%1$s")) != std::string::npos;) value.replace(at, 4, column);
        Lay(file_, {}, mark_);
        {
          auto database = *SqliteDatabase::Open(damaged_ + "/journal.db");
          if (!database->Execute(absl::StrFormat("UPDATE OR REPLACE %s SET %s=%s WHERE %s", table, column, value, where).c_str())
                   .ok()) {
            continue;
          }
        }
        ++changed;
        ExpectNothingWrong();
        LogDriver driver(damaged_);
        ASSERT_TRUE(driver.Open().ok());
        EXPECT_TRUE(driver.log().read_only() || !driver.Verify().problems.empty() || Same(Ask(driver), expected_));
      }
    }
  }
  EXPECT_GT(changed, 100);
}

TEST_F(JournalDamageTest, VerifyingFindsWhatNobodyHasReadAndMakesTheJournalReadOnly) {
  constexpr Sequence kMany = 3000;
  LogDriver driver(data_);
  ASSERT_TRUE(driver.Open().ok());
  driver.Append(1, kMany);
  driver.Shut();
  {
    auto database = *SqliteDatabase::Open(data_ + "/journal.db");
    ASSERT_TRUE(database->Execute("UPDATE events SET body=x'00' WHERE sequence=17; DELETE FROM events WHERE sequence=200").ok());
  }
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_FALSE(driver.log().read_only()) << "nobody has looked yet";

  const auto verified = driver.Verify();
  EXPECT_EQ(verified.events, kMany - 2);
  ASSERT_EQ(verified.problems.size(), 2u);
  EXPECT_EQ(verified.problems[0].sequence, 17u);
  EXPECT_EQ(verified.problems[1].sequence, 200u);
  EXPECT_TRUE(driver.log().read_only());
  EXPECT_EQ(driver.Read(1)->back()->sequence, 16u) << "up to the damage";
  EXPECT_EQ(driver.Read(17).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(driver.Read(18, 10)->size(), 10u) << "and after it";
  EXPECT_EQ(driver.Count(1, kMany, [](const Event&) { return true; }).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalDamageTest, VerifyingNamesWhatTheStartHasFoundMissing) {
  Write();
  {
    auto database = *SqliteDatabase::Open(data_ + "/journal.db");
    ASSERT_TRUE(database->Execute("DELETE FROM events WHERE sequence BETWEEN 290 AND 292").ok());
  }
  LogDriver driver(data_);
  ASSERT_TRUE(driver.Open().ok());
  ASSERT_TRUE(driver.log().read_only());

  const auto verified = driver.Verify();

  ASSERT_EQ(verified.problems.size(), 1u);
  EXPECT_EQ(verified.problems[0].message, "events 290..292 are missing");
  EXPECT_EQ(verified.events, kEvents - 3);
}

TEST_F(JournalDamageTest, AVerificationThatIsStoppedSaysNothingMoreAndHoldsUpNobody) {
  Write();
  LogDriver driver(data_);
  ASSERT_TRUE(driver.Open().ok());
  std::stop_source stop;
  stop.request_stop();
  int told = 0;

  driver.log().Verify(stop.get_token(), [&](auto&&...) { ++told; });

  EXPECT_TRUE(driver.Verify().problems.empty()) << "the next one runs";
  EXPECT_EQ(told, 0);
}

TEST_F(JournalDamageTest, AnOperatorWhoAcceptsTheLossGetsTheRestAndAJournalThatStores) {
  Write();
  {
    auto database = *SqliteDatabase::Open(data_ + "/journal.db");
    ASSERT_TRUE(
        database
            ->Execute(
                "UPDATE events SET body=x'00' WHERE sequence=17; DELETE FROM events WHERE sequence IN (200, 201, 300);"
                "UPDATE dead_letters SET event=x'00' WHERE dead_letter_id=2; UPDATE deliveries SET attempt=9 WHERE sequence=280")
            .ok());
  }
  LogDriver driver(data_);
  ASSERT_TRUE(driver.Open(true).ok());

  const auto expect = [&] {
    EXPECT_FALSE(driver.log().read_only());
    const EventLog::Stats stats = driver.log().GetStats();
    EXPECT_EQ(stats.event_count, kEvents - 4);
    EXPECT_EQ(stats.last_sequence, driver.recovery().last_sequence);
    std::vector<Sequence> lost;
    EXPECT_TRUE(stats.problems.empty()) << "nothing is wrong any more";
    for (const Loss& loss : stats.losses) {
      if (loss.part == "events") lost.push_back(loss.first);
      EXPECT_GT(loss.time, SystemTime());
    }
    for (const Sequence sequence : {17, 200, 300}) EXPECT_EQ(std::count(lost.begin(), lost.end(), sequence), 1) << sequence;
    const auto events = driver.ReadAll();
    ASSERT_TRUE(events.ok()) << events.status();
    for (const EventPtr& event : *events) {
      EXPECT_TRUE(event->sequence > kEvents || Same(*event, *expected_.events.at(event->sequence)));
    }
    EXPECT_EQ(driver.Read(17)->front()->sequence, 18u);
    EXPECT_EQ(driver.Read(200)->front()->sequence, 202u);
    EXPECT_EQ((*driver.FindByEventId("event-77"))->sequence, 77u);
    EXPECT_EQ(*driver.FindByEventId("event-17"), nullptr);
    EXPECT_EQ(driver.ReadDeadLetters(0)->size(), 2u);
    EXPECT_EQ(driver.ReadDeliveries(281)->size(), 1u);
    EXPECT_EQ(driver.recovery().listeners.size(), 1u);
    for (const JournalProblem& problem : driver.Verify().problems) ADD_FAILURE() << problem.message;
  };
  EXPECT_EQ(driver.recovery().last_sequence, kEvents) << "300 is lost, and not given out again";
  expect();
  ASSERT_TRUE(driver.Open().ok());
  expect();
  ASSERT_TRUE(driver.Open(true).ok()) << "nothing more to lose";
  expect();
  EXPECT_TRUE(std::filesystem::exists(data_ + "/journal.db.damaged"));
  EXPECT_FALSE(std::filesystem::exists(data_ + "/journal.db.damaged-2"));
}

TEST_F(JournalDamageTest, AfterAnAcceptedLossNewEventsFollowTheLostOnes) {
  Write();
  Lay(crashed_file_, wal_.substr(0, wal_.size() / 2), mark_);
  LogDriver driver(damaged_);
  ASSERT_TRUE(driver.Open(true).ok());
  EXPECT_FALSE(driver.log().read_only());
  EXPECT_EQ(driver.recovery().last_sequence, kEvents);

  driver.Append(kEvents + 1, kEvents + 600);
  const size_t there = driver.ReadAll()->size();
  EXPECT_LT(there, kEvents + 600);
  EXPECT_EQ(driver.Read(kEvents, 1)->front()->sequence, kEvents + 1);
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_FALSE(driver.log().read_only());
  EXPECT_EQ(driver.ReadAll()->size(), there);
  EXPECT_EQ(driver.log().GetStats().event_count, there);
  for (const JournalProblem& problem : driver.Verify().problems) ADD_FAILURE() << problem.message;
}

TEST_F(JournalDamageTest, AJournalThatIsNoDatabaseBeginsAnewWhereTheMarkEnds) {
  Write();
  Lay("This is no database but a text that is longer than the header of one would be, I believe.....", {}, mark_);
  LogDriver driver(damaged_);
  ASSERT_TRUE(driver.Open(true).ok());
  EXPECT_FALSE(driver.log().read_only());
  EXPECT_EQ(driver.recovery().last_sequence, kEvents);
  EXPECT_TRUE(driver.ReadAll()->empty());
  driver.Append(kEvents + 1, kEvents + 3);
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_FALSE(driver.log().read_only());
  EXPECT_EQ(driver.ReadAll()->size(), 3u);
  EXPECT_TRUE(driver.log().GetStats().problems.empty());
  EXPECT_GE(driver.log().GetStats().losses.size(), 2u);
}

}  // namespace
}  // namespace pvebus::bus
