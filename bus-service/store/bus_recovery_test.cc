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

DeliveryState StateAt(Bus& bus, Sequence sequence) {
  DeliveryState state{};
  bus.Find({EventKey::Kind::kSequence, "", sequence},
           [&state](const auto& publication) { state = (*publication)->rows[0].state; });
  return state;
}

TEST(BusRecoveryTest, AnEndThatWasSavedWithoutItsProgressIsAnEnd) {
  Limits limits;
  FakeClock clock;
  SeededRandom random(1);
  NullLogger logger;
  MemoryJournal journal(1 << 20);
  for (Sequence sequence = 1; sequence <= 2; ++sequence) journal.Append(EventNumber(sequence), [](const absl::Status&) {});
  ListenerSnapshot snapshot;
  snapshot.name = "a";
  journal.SaveListener(1, snapshot);
  journal.SaveInterest(1, {});
  Progress progress;
  progress.next_sequence = 3;
  progress.unsettled = {1, 2};
  progress.counted_until = 2;
  journal.SaveProgress(1, progress);
  DeliveryRecord dead;
  dead.sequence = 1;
  dead.state = DeliveryState::kDeadLettered;
  dead.answered = true;
  dead.attempt = 3;
  journal.SaveDelivery(1, dead);
  DeadLetter letter;
  letter.id = 1;
  letter.listener = 1;
  letter.listener_name = "a";
  letter.event = EventNumber(1);
  letter.delivery = dead;
  journal.SaveDeadLetter(letter);
  Bus bus(limits, clock, random, journal, journal, logger);

  bus.Restore(journal.Recover());

  const Subscription& subscription = *bus.registry().listeners().find("a")->second.subscription;
  EXPECT_EQ(subscription.window().size(), 1u) << "event 1 must not be delivered a fourth time";
  EXPECT_EQ(subscription.backlog(), 1u);
  EXPECT_EQ(subscription.dead_letters(), 1u);
  EXPECT_EQ(StateAt(bus, 1), DeliveryState::kDeadLettered);
  EXPECT_EQ(StateAt(bus, 2), DeliveryState::kQueued);
}

}  // namespace
}  // namespace pvebus::bus
