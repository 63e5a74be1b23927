#include "sdk/base/backoff.h"

#include "gtest/gtest.h"

namespace pvebus {
namespace {

using std::chrono::milliseconds;

// Uniform(low, high) is low for 0 and nearly high for the largest number.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(uint64_t value) : value_(value) {}
  uint64_t Next() override { return value_; }

 private:
  const uint64_t value_;
};

BackoffPolicy Policy(double jitter) {
  return {.minimum = milliseconds(100), .maximum = milliseconds(1000), .multiplier = 2, .jitter = jitter};
}

TEST(BackoffTest, DoublesUntilTheCapAndStaysThere) {
  FixedRandom random(0);
  Backoff backoff(Policy(0), random);

  EXPECT_EQ(backoff.Next(), milliseconds(100));
  EXPECT_EQ(backoff.Next(), milliseconds(200));
  EXPECT_EQ(backoff.Next(), milliseconds(400));
  EXPECT_EQ(backoff.Next(), milliseconds(800));
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(backoff.Next(), milliseconds(1000));
}

TEST(BackoffTest, ResetStartsOver) {
  FixedRandom random(0);
  Backoff backoff(Policy(0), random);
  backoff.Next();
  backoff.Next();

  backoff.Reset();

  EXPECT_EQ(backoff.Next(), milliseconds(100));
}

TEST(BackoffTest, JitterSpreadsBothWays) {
  FixedRandom lowest(0), highest(~uint64_t{0});
  Backoff early(Policy(0.1), lowest), late(Policy(0.1), highest);

  EXPECT_EQ(early.Next(), milliseconds(90));
  EXPECT_GT(late.Next(), milliseconds(109));
}

TEST(BackoffTest, JitterNeverExceedsTheMaximumAndStillSpreadsThere) {
  SeededRandom random(1);
  Backoff backoff(Policy(0.5), random);
  for (int i = 0; i < 10; ++i) backoff.Next();

  Duration shortest = milliseconds(1000), longest{};
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = backoff.Next();
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }

  EXPECT_LE(longest, milliseconds(1000));
  EXPECT_GT(longest, milliseconds(950));
  EXPECT_GE(shortest, milliseconds(500));
  EXPECT_LT(shortest, milliseconds(550));
}

}  // namespace
}  // namespace pvebus
