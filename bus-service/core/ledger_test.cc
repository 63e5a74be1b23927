#include "bus-service/core/ledger.h"

#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

using std::chrono::seconds;

Publication& Add(Ledger& ledger, const std::string& id, const std::string& request_id = "", int second = 0) {
  auto event = std::make_shared<Event>();
  event->event_id = id;
  event->sequence = ledger.last_sequence() + 1;
  event->publish_time = SystemTime(seconds(second));
  auto publication = std::make_unique<Publication>();
  publication->event = event;
  event->request_id = request_id;
  return ledger.Add(std::move(publication));
}

TEST(LedgerTest, APublicationIsFoundBySequenceEventIdAndRequestId) {
  Ledger ledger;
  Publication& one = Add(ledger, "e1", "r1");
  Publication& two = Add(ledger, "e2");

  EXPECT_EQ(ledger.Find(1), &one);
  EXPECT_EQ(ledger.Find(2), &two);
  EXPECT_EQ(ledger.Find(0), nullptr);
  EXPECT_EQ(ledger.Find(3), nullptr);
  EXPECT_EQ(ledger.FindByEventId("e2"), &two);
  EXPECT_EQ(ledger.FindByRequestId("r1"), &one);
  EXPECT_EQ(ledger.FindByRequestId(""), nullptr) << "no request id is no id";
}

TEST(LedgerTest, WhatIsDroppedIsFoundNoMoreAndTheRestStaysWhereItIs) {
  Ledger ledger;
  Add(ledger, "e1", "r1");
  Publication& two = Add(ledger, "e2", "r2");
  ledger.DropFirst();

  EXPECT_EQ(ledger.Find(1), nullptr);
  EXPECT_EQ(ledger.FindByEventId("e1"), nullptr);
  EXPECT_EQ(ledger.FindByRequestId("r1"), nullptr);
  EXPECT_EQ(ledger.Find(2), &two);
  EXPECT_EQ(ledger.first_sequence(), 2u);
  ledger.DropFirst();
  EXPECT_TRUE(ledger.empty());
  EXPECT_EQ(ledger.last_sequence(), 2u) << "sequences go on";
  EXPECT_EQ(Add(ledger, "e1").event->sequence, 3u);
}

TEST(LedgerTest, TheNewestIsTakenBackWithItsSequence) {
  Ledger ledger;
  Publication& one = Add(ledger, "e1");
  ledger.SetJournaled(one);
  Add(ledger, "e2", "r2");
  EXPECT_EQ(ledger.journaled_sequence(), 1u);
  ledger.RemoveLast();

  EXPECT_EQ(ledger.last_sequence(), 1u);
  EXPECT_EQ(ledger.FindByRequestId("r2"), nullptr);
  EXPECT_EQ(Add(ledger, "e3").event->sequence, 2u);
}

TEST(LedgerTest, ATimeIsTheFirstEventAtOrAfterIt) {
  Ledger ledger;
  for (const int second : {10, 10, 20}) Add(ledger, "e" + std::to_string(ledger.last_sequence()), "", second);

  EXPECT_EQ(ledger.FirstAtOrAfter(SystemTime(seconds(5))), 1u);
  EXPECT_EQ(ledger.FirstAtOrAfter(SystemTime(seconds(10))), 1u);
  EXPECT_EQ(ledger.FirstAtOrAfter(SystemTime(seconds(11))), 3u);
  EXPECT_EQ(ledger.FirstAtOrAfter(SystemTime(seconds(21))), 4u);
  ledger.DropFirst();
  EXPECT_EQ(ledger.FirstAtOrAfter(SystemTime(seconds(5))), 2u);
}

TEST(LedgerTest, TheBytesOfRowsAndAnswersAreNothingWhenEverythingIsDropped) {
  Ledger ledger;
  for (int i = 0; i < 3; ++i) {
    Publication& publication = Add(ledger, "e" + std::to_string(i));
    publication.rows.resize(2);
    ledger.SetJournaled(publication);
    publication.journaled = true;
    ledger.SetAnswer(publication, publication.rows[0], ListenerError{2, "R", std::string(100, 'm'), {{"k", "v"}}, false},
                     std::string(1000, 'h'));
    ledger.SetAnswer(publication, publication.rows[0], std::nullopt, "h");
    ledger.SetAnswer(publication, publication.rows[1], ListenerError{2, "R", "m", {}, false});
  }
  EXPECT_GT(ledger.row_bytes(), 0u);
  for (int i = 0; i < 3; ++i) ledger.DropFirst();
  EXPECT_EQ(ledger.row_bytes(), 0u);
}

}  // namespace
}  // namespace pvebus::bus
