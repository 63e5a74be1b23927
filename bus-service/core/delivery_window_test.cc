#include "bus-service/core/delivery_window.h"

#include <vector>

#include "gtest/gtest.h"
#include "sdk/base/random.h"

namespace pvebus::bus {
namespace {

using State = WindowEntry::State;

EventPtr MakeEvent(Sequence sequence, std::string key) {
  auto event = std::make_shared<Event>();
  event->event_id = "e" + std::to_string(sequence);
  event->sequence = sequence;
  event->ordering_key = std::move(key);
  return event;
}

// The sequences that may go now; each is put in flight.
std::vector<Sequence> SendAll(DeliveryWindow& window) {
  std::vector<Sequence> sent;
  while (WindowEntry* entry = window.NextReady()) {
    sent.push_back(entry->event->sequence);
    window.SetState(*entry, State::kInFlight);
  }
  return sent;
}

TEST(DeliveryWindowTest, OnlyTheFirstOfAKeyMayGoAndOtherKeysFlow) {
  DeliveryWindow window;
  window.Add(MakeEvent(1, "a"));
  window.Add(MakeEvent(2, "a"));
  window.Add(MakeEvent(3, "b"));

  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{1, 3}));

  window.Erase(*window.Find(1));
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{2}));
}

TEST(DeliveryWindowTest, AFailedEventHoldsItsKeyUntilItIsErased) {
  DeliveryWindow window;
  window.Add(MakeEvent(1, "a"));
  window.Add(MakeEvent(2, "a"));
  SendAll(window);

  window.SetState(*window.Find(1), State::kBackoff);
  EXPECT_EQ(window.NextReady(), nullptr);

  window.SetState(*window.Find(1), State::kReady);
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{1}));
}

TEST(DeliveryWindowTest, ADeferredEventHoldsItsKeyToo) {
  DeliveryWindow window;
  window.SetState(window.Add(MakeEvent(1, "a")), State::kDeferred);
  window.Add(MakeEvent(2, "a"));

  EXPECT_EQ(window.NextReady(), nullptr);
  EXPECT_EQ(window.deferred(), 1u);

  window.SetState(*window.Find(1), State::kReady);
  EXPECT_EQ(window.NextReady(), window.Find(1));
}

TEST(DeliveryWindowTest, AnErasedEventInTheMiddleOfAKeyLeavesTheRestInOrder) {
  DeliveryWindow window;
  for (Sequence s = 1; s <= 4; ++s) window.Add(MakeEvent(s, "a"));

  window.Erase(*window.Find(2));
  window.Erase(*window.Find(4));

  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{1}));
  window.Erase(*window.Find(1));
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{3}));
  window.Add(MakeEvent(5, "a"));
  window.Erase(*window.Find(3));
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{5}));
}

TEST(DeliveryWindowTest, AnOlderEventThatComesLaterGoesBeforeTheYoungerOnesOfItsKey) {
  DeliveryWindow window;
  window.Add(MakeEvent(5, "a"));
  window.Add(MakeEvent(2, "a"));
  window.Add(MakeEvent(3, "a"));

  std::vector<Sequence> order;
  while (WindowEntry* entry = window.NextReady()) {
    order.push_back(entry->event->sequence);
    window.Erase(*entry);
  }

  EXPECT_EQ(order, (std::vector<Sequence>{2, 3, 5}));
}

TEST(DeliveryWindowTest, AnOlderEventThatComesLaterWaitsForTheYoungerOneInFlight) {
  DeliveryWindow window;
  window.Add(MakeEvent(5, "a"));
  ASSERT_EQ(SendAll(window), (std::vector<Sequence>{5}));

  window.Add(MakeEvent(2, "a"));
  EXPECT_EQ(window.NextReady(), nullptr) << "two of one key are never in flight at once";

  window.SetState(*window.Find(5), State::kBackoff);
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{2}));
  window.Erase(*window.Find(2));
  window.SetState(*window.Find(5), State::kReady);
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{5}));

  window.Add(MakeEvent(3, "a"));
  EXPECT_EQ(window.NextReady(), nullptr);
  window.Erase(*window.Find(5));
  EXPECT_EQ(SendAll(window), (std::vector<Sequence>{3}));
}

TEST(DeliveryWindowTest, EveryDeliveryIdOfAnEventFindsItUntilTheyAreForgotten) {
  DeliveryWindow window;
  WindowEntry& entry = window.Add(MakeEvent(1, "a"));

  window.AddDeliveryId(entry, 11);
  window.AddDeliveryId(entry, 12);

  EXPECT_EQ(window.FindDelivery(11), &entry);
  EXPECT_EQ(window.FindDelivery(12), &entry);
  EXPECT_EQ(entry.delivery_id, 12u);
  window.ForgetDeliveryIds(entry);
  EXPECT_EQ(window.FindDelivery(11), nullptr);
  window.AddDeliveryId(entry, 13);
  window.Erase(entry);
  EXPECT_EQ(window.FindDelivery(13), nullptr);
}

TEST(DeliveryWindowTest, AnEventThatIsSentAgainAndAgainKeepsABoundedNumberOfIds) {
  DeliveryWindow window;
  WindowEntry& entry = window.Add(MakeEvent(1, "a"));

  for (uint64_t id = 1; id <= 1000; ++id) window.AddDeliveryId(entry, id);

  EXPECT_EQ(entry.delivery_ids.size(), 16u);
  EXPECT_EQ(window.FindDelivery(1000), &entry);
  EXPECT_EQ(window.FindDelivery(985), &entry);
  EXPECT_EQ(window.FindDelivery(984), nullptr);
}

TEST(DeliveryWindowTest, ClearForgetsEverything) {
  DeliveryWindow window;
  WindowEntry& entry = window.Add(MakeEvent(1, "a"));
  window.AddDeliveryId(entry, 7);
  window.SetState(entry, State::kInFlight);

  window.Clear();

  EXPECT_EQ(window.size(), 0u);
  EXPECT_EQ(window.bytes(), 0u);
  EXPECT_EQ(window.in_flight(), 0u);
  EXPECT_EQ(window.FindDelivery(7), nullptr);
  EXPECT_EQ(window.NextReady(), nullptr);
}

// The same rules, computed from nothing but the entries.
struct Model {
  std::map<Sequence, std::pair<std::string, State>> entries;

  std::vector<Sequence> Ready() const {
    std::vector<Sequence> ready;
    for (const auto& [sequence, entry] : entries) {
      bool goes = entry.second == State::kReady;
      for (const auto& [other, its] : entries) {
        if (its.first != entry.first) continue;
        goes &= other >= sequence;
        goes &= its.second != State::kInFlight;
      }
      if (goes) ready.push_back(sequence);
    }
    return ready;
  }
  uint32_t Count(State state) const {
    uint32_t count = 0;
    for (const auto& [sequence, entry] : entries) count += entry.second == state;
    return count;
  }
};

TEST(DeliveryWindowTest, ItAlwaysAgreesWithTheRulesWhateverHappens) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    DeliveryWindow window;
    Model model;
    for (int step = 0; step < 1000; ++step) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " step " << step);
      const Sequence sequence = 1 + random.Next() % 40;
      WindowEntry* entry = window.Find(sequence);
      ASSERT_EQ(entry != nullptr, model.entries.contains(sequence));
      if (!entry) {
        const std::string key(1, static_cast<char>('a' + random.Next() % 4));
        window.Add(MakeEvent(sequence, key));
        model.entries[sequence] = {key, State::kReady};
      } else if (random.Next() % 4 == 0) {
        window.Erase(*entry);
        model.entries.erase(sequence);
      } else {
        auto state = static_cast<State>(random.Next() % 4);
        // In flight goes only what is ready to go.
        const auto ready = model.Ready();
        if (state == State::kInFlight && std::find(ready.begin(), ready.end(), sequence) == ready.end()) state = State::kReady;
        window.SetState(*entry, state);
        model.entries[sequence].second = state;
      }

      const auto ready = model.Ready();
      ASSERT_EQ(window.NextReady() ? window.NextReady()->event->sequence : 0, ready.empty() ? 0 : ready.front());
      ASSERT_EQ(window.size(), model.entries.size());
      ASSERT_EQ(window.in_flight(), model.Count(State::kInFlight));
      ASSERT_EQ(window.in_backoff(), model.Count(State::kBackoff));
      ASSERT_EQ(window.deferred(), model.Count(State::kDeferred));
      size_t bytes = 0;
      for (const auto& [loaded, its] : window.entries()) bytes += its->event->Bytes();
      ASSERT_EQ(window.bytes(), bytes);
    }
  }
}

}  // namespace
}  // namespace pvebus::bus
