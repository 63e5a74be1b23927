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

void Nothing(Publication&) {}

TEST(LedgerTest, WhatTheJournalForgetsIsFoundNoMoreAndTheRestStaysWhereItIs) {
  Ledger ledger;
  Add(ledger, "e1", "r1");
  Publication& two = Add(ledger, "e2", "r2");
  ledger.DropBefore(2, Nothing);

  EXPECT_EQ(ledger.Find(1), nullptr);
  EXPECT_EQ(ledger.FindByEventId("e1"), nullptr);
  EXPECT_EQ(ledger.FindByRequestId("r1"), nullptr);
  EXPECT_EQ(ledger.Find(2), &two);
  ledger.DropBefore(3, Nothing);
  EXPECT_EQ(ledger.size(), 0u);
  EXPECT_EQ(ledger.last_sequence(), 2u) << "sequences go on";
  EXPECT_EQ(Add(ledger, "e1").event->sequence, 3u);
}

TEST(LedgerTest, TheOldestGoWhenThereAreTooManyButNotThoseThatAreWaitedFor) {
  Ledger ledger;
  for (int i = 1; i <= 10; ++i) {
    Publication& publication = Add(ledger, "e" + std::to_string(i));
    publication.journaled = true;
    ledger.SetJournaled(publication);
  }
  Publication* three = ledger.Find(3);
  three->waiters.emplace_back();
  std::vector<Sequence> gone;
  const auto let_go = [&gone](Publication& publication) { gone.push_back(publication.event->sequence); };
  ledger.Trim(ledger.bytes() / 2, let_go);

  EXPECT_EQ(gone, (std::vector<Sequence>{1, 2, 4, 5}));
  EXPECT_EQ(ledger.Find(3), three) << "where it was";
  EXPECT_EQ(ledger.FindByEventId("e3"), three);
  EXPECT_EQ(ledger.Find(4), nullptr);
  EXPECT_NE(ledger.Find(6), nullptr);

  three->waiters.clear();
  ledger.Trim(SIZE_MAX, let_go);
  EXPECT_EQ(ledger.Find(3), nullptr) << "nobody needs it any more";
  EXPECT_EQ(ledger.FindByEventId("e3"), nullptr);
}

TEST(LedgerTest, WhatIsRecalledStaysAsLongAsSomebodyWaits) {
  Ledger ledger;
  ledger.StartAfter(100);
  auto event = std::make_shared<Event>();
  event->event_id = "old";
  event->sequence = 7;
  auto made = std::make_unique<Publication>();
  made->event = event;
  made->waiters.emplace_back();
  Publication& old = ledger.Recall(std::move(made));
  Add(ledger, "new");

  ledger.Trim(SIZE_MAX, Nothing);
  EXPECT_EQ(ledger.Find(7), &old);
  EXPECT_EQ(ledger.FindByEventId("old"), &old);
  EXPECT_EQ(ledger.Find(8), nullptr);
  old.waiters.clear();
  ledger.Trim(SIZE_MAX, Nothing);
  EXPECT_EQ(ledger.Find(7), nullptr);
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
  EXPECT_GT(ledger.bytes(), 0u);
  ledger.DropBefore(4, Nothing);
  EXPECT_EQ(ledger.bytes(), 0u);
}

}  // namespace
}  // namespace pvebus::bus
