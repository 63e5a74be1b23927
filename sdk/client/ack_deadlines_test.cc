#include "sdk/client/ack_deadlines.h"

#include "gtest/gtest.h"

namespace pvebus::client {
namespace {

using std::chrono::seconds;

const SteadyTime kStart{seconds(1000)};

TEST(AckDeadlinesTest, AsksForMoreAtHalfOfWhatIsLeft) {
  AckDeadlines deadlines;
  deadlines.SetPolicy(seconds(30), seconds(600));
  deadlines.Add(7, kStart, seconds(30));

  EXPECT_EQ(deadlines.next_due(), kStart + seconds(15));
  EXPECT_TRUE(deadlines.Due(kStart + seconds(14)).empty());
  const auto extensions = deadlines.Due(kStart + seconds(15));

  ASSERT_EQ(extensions.size(), 1u);
  EXPECT_EQ(extensions[0].delivery_id, 7u);
  EXPECT_EQ(extensions[0].ack_deadline, seconds(30));
  EXPECT_EQ(deadlines.next_due(), kStart + seconds(30));
}

TEST(AckDeadlinesTest, NeverGoesBeyondTheMaximalExtensionAndThenStops) {
  AckDeadlines deadlines;
  deadlines.SetPolicy(seconds(30), seconds(20));
  deadlines.Add(7, kStart, seconds(30));

  Duration last{};
  SteadyTime now = kStart;
  for (int i = 0; i < 100 && deadlines.next_due() != SteadyTime::max(); ++i) {
    now = deadlines.next_due();
    for (const auto& extension : deadlines.Due(now)) last = now + extension.ack_deadline - kStart;
  }

  EXPECT_EQ(last, seconds(50));
  EXPECT_EQ(deadlines.next_due(), SteadyTime::max());
}

TEST(AckDeadlinesTest, AnsweredDeliveriesNeedNoTime) {
  AckDeadlines deadlines;
  deadlines.Add(7, kStart, seconds(30));

  deadlines.Remove(7);

  EXPECT_EQ(deadlines.next_due(), SteadyTime::max());
  EXPECT_TRUE(deadlines.Due(kStart + seconds(3600)).empty());
}

TEST(AckDeadlinesTest, TheEarliestIsNextWhateverTheOrder) {
  AckDeadlines deadlines;
  deadlines.SetPolicy(seconds(30), seconds(600));
  deadlines.Add(1, kStart, seconds(30));
  deadlines.Add(2, kStart, seconds(10));
  deadlines.Add(3, kStart, seconds(20));

  EXPECT_EQ(deadlines.next_due(), kStart + seconds(5));
  ASSERT_EQ(deadlines.Due(kStart + seconds(5)).size(), 1u);
  EXPECT_EQ(deadlines.next_due(), kStart + seconds(10));
}

TEST(AckDeadlinesTest, ADeadlineThatSeemsPastByTheBusClockIsExtendedAtOnce) {
  AckDeadlines deadlines;
  deadlines.SetPolicy(seconds(30), seconds(600));
  deadlines.Add(7, kStart, seconds(-5));

  const auto extensions = deadlines.Due(kStart);

  ASSERT_EQ(extensions.size(), 1u);
  EXPECT_EQ(extensions[0].ack_deadline, seconds(30));
}

}  // namespace
}  // namespace pvebus::client
