// Whatever happens in whatever order, the promises hold: thousands of random steps, judged by models that compute what is owed to
// whom. A failure prints its seed; the same seed fails in the same way.
#include <cstdlib>

#include "bus-service/core/testing/simulation.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

constexpr int kSteps = 2000;

std::string Told(const Simulation& simulation) {
  std::string text;
  for (size_t i = 0; i < simulation.broken.size() && i < 5; ++i) text += "\n  " + simulation.broken[i];
  const auto& history = simulation.history;
  const size_t shown = std::getenv("PVEBUS_SEED") ? history.size() : std::min<size_t>(history.size(), 20);
  text += "\nhistory:";
  for (size_t i = history.size() - shown; i < history.size(); ++i) text += "\n  " + history[i];
  return text;
}

void Simulate(uint64_t seed, std::map<std::string, int>& happened) {
  Simulation simulation(seed);
  for (int step = 0; step < kSteps; ++step) {
    simulation.Step();
    ASSERT_TRUE(simulation.broken.empty()) << "seed " << seed << ", step " << step << Told(simulation);
  }
  simulation.Finish();
  ASSERT_TRUE(simulation.broken.empty()) << "seed " << seed << ", at the end" << Told(simulation);
  for (const auto& [what, times] : simulation.happened) happened[what] += times;
}

TEST(BusCoreSimulationTest, ThePromisesHoldWhateverHappens) {
  const char* given = std::getenv("PVEBUS_SEED");  // PVEBUS_SEED=7 bus_core_simulation_test
  const uint64_t first = given ? std::strtoull(given, nullptr, 10) : 1;
  const uint64_t last = given ? first : 8;
  std::map<std::string, int> happened;
  for (uint64_t seed = first; seed <= last; ++seed) {
    ASSERT_NO_FATAL_FAILURE(Simulate(seed, happened));
  }

  if (given) return;
  for (const char* what :
       {"answer 1", "answer 2", "answer 3", "answer 4", "break", "connect", "connect anew", "delivery", "drain", "extend",
        "pause", "publish", "publish refused", "resume", "seek", "session ended", "takeover", "window"}) {
    EXPECT_GT(happened[what], 20) << "this simulation hardly tries: " << what;
  }
}

TEST(BusCoreSimulationTest, TheSameSeedDoesTheSame) {
  std::map<std::string, int> first, second;
  Simulate(99, first);
  Simulate(99, second);
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace pvebus::bus
