#include "bus-service/store/id_index.h"

#include "bus-service/store/id_hash.h"
#include "bus-service/store/segment_index.h"
#include "bus-service/store/testing/log_driver.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

uint64_t HashOf(uint64_t number) { return IdHash(7).OfRequestId("request-" + std::to_string(number)); }

std::vector<IdEntry> Entries(uint64_t first, uint64_t last) {
  std::vector<IdEntry> entries;
  for (uint64_t number = first; number <= last; ++number) entries.push_back({HashOf(number), number});
  return entries;
}

TEST(IdHashTest, AnIdThatTheBusMadeNeedsNoEntryAndEveryOtherDoes) {
  SeededRandom random(1);
  const IdHash hash(1);
  auto event = MakeEvent(1);
  event->request_id.clear();
  std::vector<IdEntry> entries;
  event->event_id = MakeEventId(event->publish_time, random);
  hash.AddEntries(*event, entries);
  EXPECT_TRUE(entries.empty());

  event->event_id = MakeEventId(event->publish_time + std::chrono::milliseconds(1), random);  // a publisher's own
  hash.AddEntries(*event, entries);
  EXPECT_EQ(entries.size(), 1u);
  event->event_id = "mine";
  event->request_id = "mine";
  hash.AddEntries(*event, entries);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_NE(entries[1].hash, entries[2].hash) << "an event id is no request id";
}

TEST(IdHashTest, OnlyUuidsOfVersionSevenHaveATime) {
  EXPECT_EQ(MillisOfUuid7("018bcfe5-687b-7000-8000-000000000000"), 0x018bcfe5687b);
  for (const char* id : {"", "018bcfe5-687b-4000-8000-000000000000", "018bcfe5-687b-7000-8000-00000000000",
                         "018bcfe5+687b-7000-8000-000000000000", "018bcfg5-687b-7000-8000-000000000000"}) {
    EXPECT_FALSE(MillisOfUuid7(id).has_value()) << id;
  }
}

TEST(BlockedBloomTest, ItNeverMissesAndSeldomErrs) {
  const BlockedBloom bloom(Entries(1, 50'000));

  for (uint64_t number = 1; number <= 50'000; ++number) ASSERT_TRUE(bloom.MayContain(HashOf(number))) << number;
  int wrong = 0;
  for (uint64_t number = 50'001; number <= 150'000; ++number) wrong += bloom.MayContain(HashOf(number));
  EXPECT_LT(wrong, 400) << "of 100,000";
  EXPECT_EQ(bloom.bytes().size(), 100'032u) << "16 bits each";
}

TEST(IdBlockTest, EveryEntryIsInItsBucketTwoOfOneHashToo) {
  std::vector<IdEntry> entries = Entries(1, 10'000);
  entries.push_back({HashOf(5), 20'000});
  const IdBlock block(entries);

  for (uint64_t number = 1; number <= 10'000; ++number) {
    const auto found = FindInBucket(block.buckets[IdBlock::BucketOf(HashOf(number))], HashOf(number));
    ASSERT_EQ(found.size(), number == 5 ? 2u : 1u);
    EXPECT_EQ(found[0], number);
  }
  EXPECT_TRUE(FindInBucket(block.buckets[IdBlock::BucketOf(HashOf(10'001))], HashOf(10'001)).empty());
}

TEST(IdIndexTest, WhatIsFrozenIsFoundUntilItsBlockTakesOver) {
  IdIndex index(1000);
  for (const IdEntry& entry : Entries(1, 999)) index.Add(entry);
  EXPECT_EQ(index.FreezeIfFull(), nullptr);
  for (const IdEntry& entry : Entries(1000, 1500)) index.Add(entry);
  const auto frozen = index.FreezeIfFull();
  ASSERT_NE(frozen, nullptr);
  EXPECT_EQ(frozen->first, 1u);
  EXPECT_EQ(frozen->last, 1500u);
  index.Add(Entries(1501, 1501)[0]);

  EXPECT_EQ(index.Find(HashOf(700), 1).sequences, (std::vector<Sequence>{700}));
  EXPECT_EQ(index.Find(HashOf(1501), 1).sequences, (std::vector<Sequence>{1501}));
  EXPECT_TRUE(index.Find(HashOf(700), 701).empty()) << "forgotten";
  index.Sealed({frozen->block, frozen->first, frozen->last, std::make_shared<BlockedBloom>(frozen->Entries())});
  EXPECT_EQ(index.in_memory(), 1u);
  EXPECT_TRUE(index.Find(HashOf(700), 1).sequences.empty());
  EXPECT_EQ(index.Find(HashOf(700), 1).blocks, (std::vector<uint64_t>{0}));
  EXPECT_TRUE(index.DropBefore(1500).empty());
  EXPECT_EQ(index.DropBefore(1501), (std::vector<uint64_t>{0}));
  EXPECT_TRUE(index.Find(HashOf(700), 1).empty());
}

TEST(IdIndexTest, TwoEventsOfOneHashAreBothCandidates) {
  IdIndex index;
  index.Add({9, 1});
  index.Add({9, 2});

  EXPECT_EQ(index.Find(9, 1).sequences, (std::vector<Sequence>{2, 1}));
  EXPECT_EQ(index.Find(9, 2).sequences, (std::vector<Sequence>{2}));
}

TEST(SegmentIndexTest, RunsAreFoundByTimeThoughTheClockWentBack) {
  SegmentIndex index;
  index.AddSegment({1, 10, 100, 10, 19, 0});
  index.AddSegment({11, 10, 100, 5, 9, 0});
  index.AddSegment({21, 10, 100, 20, 29, 0});
  index.AddEvent(31, 10, 30);

  EXPECT_EQ(index.RunFrom(0)->first, 1u);
  EXPECT_EQ(index.RunFrom(20)->first, 21u);
  EXPECT_EQ(index.RunFrom(30)->first, 31u);
  EXPECT_FALSE(index.RunFrom(31).has_value());
  EXPECT_EQ(index.RunsBetween(7, 8).size(), 1u);
  EXPECT_EQ(index.RunsBetween(9, 10).size(), 2u);
  EXPECT_TRUE(index.RunsBetween(31, 99).empty());
  EXPECT_EQ(index.DropOldest(), 11u);
  EXPECT_EQ(index.RunFrom(6)->first, 11u);
  EXPECT_EQ(index.RunFrom(15)->first, 21u) << "what was forgotten leads nobody astray";
  EXPECT_EQ(index.count(), 21u);
  EXPECT_EQ(index.bytes(), 210u);
}

// About 1 million ids: they become a block while the journal is in use, and are found before, meanwhile and after a restart.
TEST(IdIndexTest, TheJournalMakesBlocksOfItsIds) {
  const TemporaryDirectory directory;
  LogDriver driver(directory / "data");
  ASSERT_TRUE(driver.Open().ok());
  constexpr Sequence kEvents = IdIndex::kSealAt / 2 + 2000;  // two ids each
  for (Sequence sequence = 1; sequence <= kEvents; ++sequence) {
    auto event = std::make_shared<Event>();
    event->sequence = sequence;
    event->publish_time = FromNanos(1'700'000'000'000'000'000 + static_cast<int64_t>(sequence));
    event->event_id = "e" + std::to_string(sequence);
    event->request_id = "r" + std::to_string(sequence);
    driver.Append(std::move(event));
    if (sequence % 5000 == 0) driver.AwaitAppends();
  }
  driver.AwaitAppends();
  const auto expect = [&] {
    for (Sequence sequence = 1; sequence <= kEvents; sequence += 9973) {
      const auto by_event = driver.FindByEventId("e" + std::to_string(sequence));
      const auto by_request = driver.FindByRequestId("r" + std::to_string(sequence));
      ASSERT_TRUE(by_event.ok() && *by_event && by_request.ok() && *by_request) << sequence;
      EXPECT_EQ((*by_event)->sequence, sequence);
      EXPECT_EQ((*by_request)->sequence, sequence);
    }
    EXPECT_EQ(*driver.FindByEventId("r1"), nullptr);
  };
  expect();
  const auto blocks = [&] {
    return *(*SqliteDatabase::Open(directory / "data/journal.db"))->QueryNumber("SELECT count(*) FROM id_blocks");
  };
  for (int round = 0; round < 1000 && blocks() == 0; ++round) ASSERT_TRUE(driver.Sync().ok());
  EXPECT_EQ(blocks(), 1);
  expect();
  ASSERT_TRUE(driver.Open().ok());
  EXPECT_FALSE(driver.log().read_only());
  expect();
  EXPECT_TRUE(driver.Verify().problems.empty());
}

}  // namespace
}  // namespace pvebus::bus
