#include "bus-service/store/journal_tables.h"

#include "absl/strings/str_format.h"
#include "bus-service/store/journal_schema.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

constexpr Sequence kEvents = 6;

class JournalTablesTest : public testing::Test {
 protected:
  JournalTablesTest() {
    database_ = *SqliteDatabase::Open(directory_ / "journal.db");
    EXPECT_TRUE(PrepareJournalSchema(*database_).ok());
    tables_ = *JournalTables::Open(*database_);
  }

  void Fill() {
    for (Sequence sequence = 1; sequence <= kEvents; ++sequence) {
      expected_.events.push_back(MakeEvent(sequence));
      ASSERT_TRUE(tables_->PutEvent(*expected_.events.back()).ok());
    }
    expected_.last_sequence = kEvents;
    for (ListenerId id : {1, 2}) {
      Recovery::Listener& listener = expected_.listeners.emplace_back();
      listener.id = id;
      listener.snapshot = MakeSnapshot("listener" + std::to_string(id));
      listener.interests = {{1, 0, ""}, {3, 4, "event.type = custom"}};
      listener.progress = {5, 2, {1, 3}};
      listener.deliveries = {MakeDelivery(1), MakeDelivery(4)};
      listener.deliveries[1].state = DeliveryState::kSucceeded;
      listener.deliveries[1].error.reset();
      ASSERT_TRUE(tables_->PutListener(id, listener.snapshot).ok());
      for (const Interest& interest : listener.interests) ASSERT_TRUE(tables_->PutInterest(id, interest).ok());
      ASSERT_TRUE(tables_->PutProgress(id, listener.progress).ok());
      for (const DeliveryRecord& delivery : listener.deliveries) ASSERT_TRUE(tables_->PutDelivery(id, delivery).ok());
    }
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<JournalTables> tables_;
  Recovery expected_;
};

TEST_F(JournalTablesTest, EverythingComesBackEqual) {
  Fill();
  const auto loaded = tables_->Load();

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(Same(*loaded, expected_));
}

TEST_F(JournalTablesTest, ReadingStopsAtItsLimitsAndBeginsWhereItShould) {
  Fill();
  const auto two = tables_->ReadEvents(3, 2, 1 << 20);
  const auto one = tables_->ReadEvents(2, 10, 1);
  const auto rest = tables_->ReadEvents(5, 10, 1 << 20);
  const auto none = tables_->ReadEvents(7, 10, 1 << 20);

  ASSERT_EQ(two->size(), 2u);
  EXPECT_TRUE(Same(*two->at(0), *expected_.events[2]));
  EXPECT_EQ(one->size(), 1u);
  EXPECT_EQ(rest->size(), 2u);
  EXPECT_TRUE(none->empty());
}

TEST_F(JournalTablesTest, TheHighestSequenceOutlivesTheLastEvent) {
  Fill();
  ASSERT_TRUE(tables_->PutLastSequence(kEvents).ok());
  ASSERT_TRUE(tables_->DropEventsBefore(kEvents + 1).ok());

  const auto loaded = tables_->Load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded->events.empty());
  EXPECT_EQ(loaded->last_sequence, kEvents);
  EXPECT_TRUE(loaded->listeners.at(0).deliveries.empty());
}

TEST_F(JournalTablesTest, ADroppedListenerTakesAllItsRowsAlongAndNoOthers) {
  Fill();
  ASSERT_TRUE(tables_->DropListener(1).ok());

  expected_.listeners.erase(expected_.listeners.begin());
  EXPECT_TRUE(Same(*tables_->Load(), expected_));
  for (const char* table : {"listeners", "interests", "progress", "deliveries"}) {
    EXPECT_EQ(*database_->QueryNumber(absl::StrFormat("SELECT count(*) FROM %s WHERE listener_id=1", table).c_str()), 0) << table;
  }
}

TEST_F(JournalTablesTest, AnEventThatIsMissingInTheMiddleIsNamed) {
  Fill();
  ASSERT_TRUE(database_->Execute("DELETE FROM events WHERE sequence=4").ok());

  const absl::Status status = tables_->Load().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("event 4 is missing"), absl::string_view::npos) << status;
}

// Every cell that can be changed, changed in every way: another number, another byte at each place, one byte less.
TEST_F(JournalTablesTest, AChangeInAnyColumnOfAnyRowIsNamedOrHarmless) {
  Fill();
  const std::vector<std::pair<std::string, std::string>> tables = {{"events", "event"},
                                                                   {"listeners", "listener"},
                                                                   {"interests", "listener"},
                                                                   {"progress", "listener"},
                                                                   {"deliveries", "listener"}};
  for (const auto& [table, name] : tables) {
    const int64_t columns =
        *database_->QueryNumber(absl::StrFormat("SELECT count(*) FROM pragma_table_info('%s')", table).c_str());
    for (int64_t i = 0; i < columns; ++i) {
      auto query = *SqliteStatement::Prepare(
          *database_, absl::StrFormat("SELECT name FROM pragma_table_info('%s') WHERE cid=%d", table, i).c_str());
      ASSERT_TRUE(*query->Step());
      const std::string column(query->Bytes(0));
      query->Reset();
      for (const std::string change : {"CASE typeof(%1$s) WHEN 'integer' THEN %1$s+1 WHEN 'null' THEN -1 ELSE "
                                       "CAST(%1$s||x'01' AS BLOB) END",
                                       "CASE typeof(%1$s) WHEN 'integer' THEN %1$s|(1<<40) WHEN 'null' THEN 77 ELSE "
                                       "CAST(x'7f'||substr(CAST(%1$s AS BLOB),2) AS BLOB) END",
                                       "CASE typeof(%1$s) WHEN 'integer' THEN -%1$s-1 WHEN 'null' THEN 1 ELSE "
                                       "CAST(substr(CAST(%1$s AS BLOB),1,length(CAST(%1$s AS BLOB))-1) AS BLOB) END"}) {
        SCOPED_TRACE(table + "." + column + " = " + change);
        std::string value = change;
        for (size_t at; (at = value.find("%1$s")) != std::string::npos;) value.replace(at, 4, column);
        const std::string where = table == "events" ? "sequence=3" : "listener_id=1";
        const std::string only = table == "interests" ? " AND after_sequence=3" : table == "deliveries" ? " AND sequence=1" : "";
        ASSERT_TRUE(database_->Execute("BEGIN").ok());
        const absl::Status changed = database_->Execute(
            absl::StrFormat("UPDATE OR REPLACE %s SET %s=%s WHERE %s%s", table, column, value, where, only).c_str());
        if (changed.ok()) {
          const auto loaded = tables_->Load();
          if (loaded.ok()) {
            EXPECT_TRUE(Same(*loaded, expected_)) << "a wrong value";
          } else {
            EXPECT_EQ(loaded.status().code(), absl::StatusCode::kDataLoss);
            EXPECT_NE(loaded.status().message().find(name), absl::string_view::npos) << loaded.status();
          }
        }
        ASSERT_TRUE(database_->Execute("ROLLBACK").ok());
      }
    }
  }
  EXPECT_TRUE(Same(*tables_->Load(), expected_)) << "a failure leaves the statements usable";
}

TEST_F(JournalTablesTest, ARowOfAListenerThatMovedToAnotherListenerIsNamed) {
  Fill();
  for (const char* change : {"UPDATE deliveries SET listener_id=2, sequence=sequence WHERE listener_id=1 AND sequence=1",
                             "UPDATE interests SET listener_id=2 WHERE listener_id=1 AND after_sequence=3",
                             "UPDATE progress SET listener_id=2 WHERE listener_id=1"}) {
    ASSERT_TRUE(database_
                    ->Execute("BEGIN; DELETE FROM deliveries WHERE listener_id=2; DELETE FROM interests WHERE listener_id=2;"
                              "DELETE FROM progress WHERE listener_id=2")
                    .ok());
    ASSERT_TRUE(database_->Execute(change).ok());
    EXPECT_EQ(tables_->Load().status().code(), absl::StatusCode::kDataLoss) << change;
    ASSERT_TRUE(database_->Execute("ROLLBACK").ok());
  }
}

}  // namespace
}  // namespace pvebus::bus
