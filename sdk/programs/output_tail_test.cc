#include "sdk/programs/output_tail.h"

#include "gtest/gtest.h"

namespace pvebus {
namespace {

TEST(OutputTailTest, TheLastBytesAreKeptAndAllAreCounted) {
  OutputTail tail(4);

  tail.Append("ab");
  EXPECT_EQ(tail.bytes(), "ab");
  tail.Append("cd");
  EXPECT_EQ(tail.bytes(), "abcd");
  tail.Append("e");
  EXPECT_EQ(tail.bytes(), "bcde");
  tail.Append("0123456789");
  EXPECT_EQ(tail.bytes(), "6789");
  tail.Append("");
  EXPECT_EQ(tail.bytes(), "6789");
  EXPECT_EQ(tail.total_bytes(), 15u);
}

}  // namespace
}  // namespace pvebus
