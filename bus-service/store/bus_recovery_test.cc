// What the bus makes of a journal that was written up to the middle of a turn.
#include "bus-service/core/bus.h"
#include "bus-service/core/limits.h"
#include "bus-service/store/memory_event_log.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

EventPtr EventNumber(Sequence sequence) {
  auto event = std::make_shared<Event>();
  event->sequence = sequence;
  event->event_id = "e" + std::to_string(sequence);
  event->type = EventType::kCustom;
  event->ordering_key = "k";
  return event;
}

TEST(BusRecoveryTest, AnEndThatWasSavedWithoutItsProgressIsAnEnd) {
  Limits limits;
  FakeClock clock;
  SeededRandom random(1);
  NullLogger logger;
  MemoryEventLog log(1 << 20);
  Recovery recovery;
  recovery.events = {EventNumber(1), EventNumber(2)};
  recovery.last_sequence = 2;
  log.Restore(recovery.events, recovery.last_sequence);
  Recovery::Listener& listener = recovery.listeners.emplace_back();
  listener.id = 1;
  listener.snapshot.name = "a";
  listener.interests = {{}};
  listener.progress = {3, 0, {1, 2}};
  DeliveryRecord& dead = listener.deliveries.emplace_back();
  dead.sequence = 1;
  dead.state = DeliveryState::kDeadLettered;
  dead.answered = true;
  dead.attempt = 3;
  Bus bus(limits, clock, random, log, logger);

  bus.Restore(recovery);

  const Subscription& subscription = *bus.registry().listeners().find("a")->second.subscription;
  EXPECT_EQ(subscription.window().size(), 1u) << "event 1 must not be delivered a fourth time";
  EXPECT_EQ(subscription.backlog(), 1u);
  EXPECT_EQ(subscription.dead_letters(), 1u);
  EXPECT_EQ(bus.ledger().Find(1)->rows[0].state, DeliveryState::kDeadLettered);
  EXPECT_EQ(bus.ledger().Find(2)->rows[0].state, DeliveryState::kQueued);
}

}  // namespace
}  // namespace pvebus::bus
