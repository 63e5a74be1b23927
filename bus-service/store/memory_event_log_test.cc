#include "bus-service/store/memory_event_log.h"

#include "bus-service/core/bus.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

std::shared_ptr<Event> MakeEvent(Sequence sequence, size_t body_bytes = 0) {
  auto event = std::make_shared<Event>();
  event->sequence = sequence;
  event->event_id = "e" + std::to_string(sequence);
  event->body = std::string(body_bytes, 'x');
  return event;
}

void Fill(MemoryEventLog& log, Sequence from, Sequence to, size_t body_bytes = 0) {
  for (Sequence sequence = from; sequence <= to; ++sequence) {
    log.Append(MakeEvent(sequence, body_bytes), [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  }
}

std::vector<Sequence> Read(MemoryEventLog& log, Sequence from, size_t max_events = 1000, size_t max_bytes = 1 << 30) {
  std::vector<Sequence> read;
  log.Read(from, max_events, max_bytes, [&read](const absl::StatusOr<std::vector<EventPtr>>& events) {
    ASSERT_TRUE(events.ok());
    for (const EventPtr& event : *events) read.push_back(event->sequence);
  });
  return read;
}

TEST(MemoryEventLogTest, WhatIsAppendedIsReadInOrder) {
  MemoryEventLog log(1 << 20);
  EXPECT_TRUE(Read(log, 1).empty());
  Fill(log, 1, 3);

  EXPECT_EQ(Read(log, 1), (std::vector<Sequence>{1, 2, 3}));
  EXPECT_EQ(Read(log, 0), (std::vector<Sequence>{1, 2, 3}));
  EXPECT_EQ(Read(log, 3), (std::vector<Sequence>{3}));
  EXPECT_TRUE(Read(log, 4).empty());
}

TEST(MemoryEventLogTest, AReadEndsAfterSoManyEventsOrBytesButHasAtLeastOne) {
  MemoryEventLog log(1 << 20);
  Fill(log, 1, 10, 1000);
  const size_t each = MakeEvent(1, 1000)->Bytes();

  EXPECT_EQ(Read(log, 1, 2), (std::vector<Sequence>{1, 2}));
  EXPECT_EQ(Read(log, 1, 10, 3 * each), (std::vector<Sequence>{1, 2, 3}));
  EXPECT_EQ(Read(log, 1, 10, 3 * each - 1), (std::vector<Sequence>{1, 2}));
  EXPECT_EQ(Read(log, 5, 10, 1), (std::vector<Sequence>{5}));
}

TEST(MemoryEventLogTest, AReadFromBeforeTheFirstBeginsAtTheFirst) {
  MemoryEventLog log(1 << 20);
  Fill(log, 1, 5);
  log.DropFirst();
  log.DropFirst();
  EXPECT_EQ(Read(log, 1), (std::vector<Sequence>{3, 4, 5}));
}

TEST(MemoryEventLogTest, ItHasRoomUpToItsLimitAndAgainAfterADrop) {
  const size_t each = MakeEvent(1, 100)->Bytes();
  MemoryEventLog log(2 * each);
  Fill(log, 1, 1, 100);
  EXPECT_TRUE(log.HasRoomFor(each));
  EXPECT_FALSE(log.HasRoomFor(each + 1));
  Fill(log, 2, 2, 100);
  EXPECT_FALSE(log.HasRoomFor(1));
  log.DropFirst();
  EXPECT_TRUE(log.HasRoomFor(each));
}

TEST(MemoryEventLogTest, ItsStatusSaysThatNothingSurvives) {
  MemoryEventLog log(1 << 20);
  EXPECT_EQ(log.GetStats().first_sequence, 0u);
  Fill(log, 1, 3);
  log.DropFirst();

  const EventLog::Stats stats = log.GetStats();
  EXPECT_FALSE(stats.durable);
  EXPECT_EQ(stats.event_count, 2u);
  EXPECT_EQ(stats.event_bytes, 2 * MakeEvent(1)->Bytes());
  EXPECT_EQ(stats.max_event_bytes, size_t{1} << 20);
  EXPECT_EQ(stats.first_sequence, 2u);
  EXPECT_EQ(stats.last_sequence, 3u);
  log.DropFirst();
  log.DropFirst();
  EXPECT_EQ(log.GetStats().event_bytes, 0u);
  EXPECT_EQ(log.GetStats().last_sequence, 3u);
}

TEST(MemoryEventLogTest, ABusLivesOnItForMoreEventsThanItHolds) {
  Limits limits;
  FakeClock clock;
  SeededRandom random(1);
  NullLogger logger;
  MemoryEventLog log(20'000);
  Bus bus(limits, clock, random, log, logger);

  for (int i = 0; i < 1000; ++i) {
    PublishCommand command;
    command.event = std::make_shared<Event>();
    command.event->body = std::string(200, 'x');
    bus.Publish(std::move(command), [](const absl::StatusOr<PublishReply>& reply) { ASSERT_TRUE(reply.ok()); });
  }

  EXPECT_EQ(bus.journaled_sequence(), 1000u);
  EXPECT_LE(log.GetStats().event_bytes, 20'000u);
}

}  // namespace
}  // namespace pvebus::bus
