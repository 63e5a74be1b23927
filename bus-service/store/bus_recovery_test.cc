// What the bus makes of a journal that was written up to the middle of a turn.
#include "bus-service/core/bus.h"
#include "bus-service/core/limits.h"
#include "bus-service/store/memory_journal.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

std::shared_ptr<Event> EventNumber(Sequence sequence) {
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
  MemoryJournal log(1 << 20);
  for (const Sequence sequence : {1, 2}) log.Append(EventNumber(sequence), [](const absl::Status&) {});
  ListenerSnapshot snapshot;
  snapshot.name = "a";
  log.SaveListener(1, snapshot);
  log.SaveInterest(1, {});
  log.SaveProgress(1, {3, 0, {1, 2}});
  DeliveryRecord dead;
  dead.sequence = 1;
  dead.state = DeliveryState::kDeadLettered;
  dead.answered = true;
  dead.attempt = 3;
  log.SaveDelivery(1, dead);
  log.SaveDeadLetter({1, 1, "a", {}, EventNumber(1), dead, ""});
  Bus bus(limits, clock, random, log, log, logger);

  bus.Restore(log.Recover());

  const Subscription& subscription = *bus.registry().listeners().find("a")->second.subscription;
  EXPECT_EQ(subscription.window().size(), 1u) << "event 1 must not be delivered a fourth time";
  EXPECT_EQ(subscription.backlog(), 1u);
  EXPECT_EQ(subscription.dead_letters(), 1u);
}

}  // namespace
}  // namespace pvebus::bus
