#include "bus-service/store/memory_journal.h"

#include "bus-service/store/dead_letter_rows.h"
#include "bus-service/store/testing/log_driver.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

void Fill(MemoryJournal& log, Sequence from, Sequence to, size_t body_bytes = 40) {
  for (Sequence sequence = from; sequence <= to; ++sequence) {
    log.Append(MakeEvent(sequence, body_bytes), [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  }
}

std::vector<Sequence> Read(MemoryJournal& log, Sequence from, size_t max_events = 1000, size_t max_bytes = 1 << 30) {
  std::vector<Sequence> read;
  log.Read(from, max_events, max_bytes, [&read](const auto& events) { read = SequencesOf(*events); });
  return read;
}

Sequence SequenceOf(const absl::StatusOr<EventPtr>& event) { return *event ? (*event)->sequence : 0; }

TEST(MemoryJournalTest, WhatIsAppendedIsReadInOrder) {
  MemoryJournal log(1 << 20);
  EXPECT_TRUE(Read(log, 1).empty());
  Fill(log, 1, 3);

  EXPECT_EQ(Read(log, 0), (std::vector<Sequence>{1, 2, 3}));
  EXPECT_EQ(Read(log, 3), (std::vector<Sequence>{3}));
  EXPECT_TRUE(Read(log, 4).empty());
}

TEST(MemoryJournalTest, AReadEndsAfterSoManyEventsOrBytesButHasAtLeastOne) {
  MemoryJournal log(1 << 20);
  Fill(log, 1, 10, 1000);
  const size_t each = MakeEvent(1, 1000)->Bytes();

  EXPECT_EQ(Read(log, 1, 2), (std::vector<Sequence>{1, 2}));
  EXPECT_EQ(Read(log, 1, 10, 3 * each), (std::vector<Sequence>{1, 2, 3}));
  EXPECT_EQ(Read(log, 1, 10, 3 * each - 1), (std::vector<Sequence>{1, 2}));
  EXPECT_EQ(Read(log, 5, 10, 1), (std::vector<Sequence>{5}));
}

TEST(MemoryJournalTest, AnEventIsFoundByEitherIdByItsTimeAndByItsParent) {
  MemoryJournal log(1 << 20);
  Fill(log, 1, 5);

  Sequence found = 0;
  const auto take = [&](const absl::StatusOr<EventPtr>& event) { found = SequenceOf(event); };
  log.FindByEventId("event-4", take);
  EXPECT_EQ(found, 4u);
  log.FindByRequestId("request-3", take);
  EXPECT_EQ(found, 3u);
  log.FindByRequestId("", take);
  EXPECT_EQ(found, 0u);
  log.FindByEventId("event-9", take);
  EXPECT_EQ(found, 0u);
  EXPECT_TRUE(log.MayHaveEventId("event-4") && !log.MayHaveEventId("event-9"));
  log.FindByTime(MakeEvent(3)->publish_time, [&](const auto& sequence) { EXPECT_EQ(*sequence, 3u); });
  log.FindByTime(SystemTime(), [&](const auto& sequence) { EXPECT_EQ(*sequence, 1u); });
  log.FindByTime(SystemTime::max(), [&](const auto& sequence) { EXPECT_EQ(*sequence, 6u); });
  log.ReadChildren(3, 10, [&](const auto& events) { EXPECT_EQ(SequencesOf(*events), (std::vector<Sequence>{4})); });
  log.Count(
      2, 9, [](const Event& event) { return event.sequence % 2 == 0; }, [&](const auto& count) { EXPECT_EQ(*count, 2u); });
}

TEST(MemoryJournalTest, AChunkIsOneEventWithItsIdsAndDeliveries) {
  MemoryJournal log(1 << 20);
  EXPECT_FALSE(log.OldestChunk().has_value());
  Fill(log, 1, 3);
  log.SaveDelivery(1, MakeDelivery(1));
  log.SaveDelivery(1, MakeDelivery(2));

  ASSERT_TRUE(log.OldestChunk().has_value());
  EXPECT_EQ(log.OldestChunk()->end, 2u);
  EXPECT_EQ(log.OldestChunk()->newest, MakeEvent(1)->publish_time);
  log.DropOldestChunk();
  EXPECT_EQ(Read(log, 1), (std::vector<Sequence>{2, 3}));
  EXPECT_FALSE(log.MayHaveEventId("event-1"));
  log.ReadDeliveries(1, [](const auto& deliveries) { EXPECT_TRUE(deliveries->empty()); });
  log.ReadDeliveries(2, [](const auto& deliveries) { EXPECT_EQ(deliveries->size(), 1u); });
  log.DropOldestChunk();
  log.DropOldestChunk();
  EXPECT_EQ(log.GetStats().event_bytes, 0u);
  EXPECT_EQ(log.GetStats().first_sequence, 0u);
  EXPECT_EQ(log.GetStats().last_sequence, 3u);
}

TEST(MemoryJournalTest, EventsAndDeadLettersShareItsRoom) {
  const size_t event = MakeEvent(1)->Bytes();
  const size_t letter = BytesOf(MakeDeadLetter(1, 1));
  MemoryJournal log(event + letter);
  Fill(log, 1, 1);
  EXPECT_TRUE(log.HasRoomFor(letter));
  log.SaveDeadLetter(MakeDeadLetter(1, 1));
  log.SaveDeadLetter(MakeDeadLetter(1, 1));  // another state of the same
  EXPECT_FALSE(log.HasRoomFor(1));
  log.RemoveDeadLetter(1);
  log.RemoveDeadLetter(1);
  EXPECT_TRUE(log.HasRoomFor(letter));
  EXPECT_FALSE(log.HasRoomFor(letter + 1));
  log.DropOldestChunk();
  EXPECT_TRUE(log.HasRoomFor(event + letter));
}

TEST(MemoryJournalTest, DeadLettersAndReplaysAreReadInPagesAndGoWithTheirListener) {
  MemoryJournal log(1 << 20);
  Fill(log, 1, 2);
  for (uint64_t id = 1; id <= 3; ++id) log.SaveDeadLetter(MakeDeadLetter(id, id == 3 ? 2 : 1));
  log.SaveReplays({{1, 1, "r", 2, true, 0}, {2, 1, "r", 102, false, 2}, {3, 1, "r", 77, false, 0}, {4, 2, "r", 1, false, 0}});

  log.ReadDeadLetters(1, 1, 1 << 20, [](const auto& letters) {
    ASSERT_EQ(letters->size(), 1u);
    EXPECT_TRUE(Same((*letters)[0], MakeDeadLetter(2, 1)));
  });
  log.ReadReplays(1, 0, 10, 1 << 20, [](const auto& replays) {
    ASSERT_EQ(replays->size(), 3u);
    EXPECT_TRUE(Same(*(*replays)[0].second, *MakeEvent(2)));
    EXPECT_TRUE(Same(*(*replays)[1].second, *MakeEvent(102))) << "the dead letter's own copy";
    EXPECT_EQ((*replays)[2].second, nullptr);
  });
  log.RemoveReplay(1, 1);
  log.DropListener(1);
  log.ReadDeadLetters(0, 10, 1 << 20, [](const auto& letters) { EXPECT_EQ(letters->size(), 1u); });
  log.ReadReplays(1, 0, 10, 1 << 20, [](const auto& replays) { EXPECT_TRUE(replays->empty()); });
  log.ReadReplays(2, 0, 10, 1 << 20, [](const auto& replays) { EXPECT_EQ(replays->size(), 1u); });
}

TEST(MemoryJournalTest, ABusThatBeginsOnItFindsWhatWasSaved) {
  MemoryJournal log(1 << 20);
  Fill(log, 1, 6);
  log.SaveListener(4, MakeSnapshot("a"));
  log.SaveInterest(4, {0, 2, "x"});
  log.SaveProgress(4, {5, 0, {1, 3}, {}, 1, 6});
  for (const Sequence sequence : {2, 3, 5}) log.SaveDelivery(4, MakeDelivery(sequence));
  log.SaveDeadLetter(MakeDeadLetter(8, 4));
  log.SaveReplays({{1, 4, "r", 2, false, 8}, {2, 4, "r", 2, false, 0}});
  log.DropOldestChunk();

  const Recovery recovery = log.Recover();
  EXPECT_EQ(recovery.last_sequence, 6u);
  EXPECT_EQ(recovery.newest.size(), 5u);
  ASSERT_EQ(recovery.listeners.size(), 1u);
  const Recovery::Listener& listener = recovery.listeners[0];
  EXPECT_TRUE(Same(listener.snapshot, MakeSnapshot("a")));
  EXPECT_EQ(listener.interests.size(), 1u);
  ASSERT_EQ(listener.deliveries.size(), 2u) << "2 is settled";
  EXPECT_EQ(listener.deliveries[1].sequence, 5u);
  EXPECT_EQ(SequencesOf(listener.unsettled), (std::vector<Sequence>{3})) << "1 is forgotten";
  EXPECT_EQ(listener.dead_letter_count, 1u);
  EXPECT_EQ(listener.replay_count, 2u);
  EXPECT_EQ(listener.redrive_count, 1u);
  EXPECT_EQ(recovery.last_dead_letter_id, 8u);
}

}  // namespace
}  // namespace pvebus::bus
