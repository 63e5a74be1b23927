#include "bus-service/core/policy.h"

#include <functional>

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string InvalidField(const std::function<void(DeliveryPolicy&)>& change) {
  DeliveryPolicy policy;
  change(policy);
  const absl::Status status = policy.Validate();
  EXPECT_TRUE(status.ok() || (status.code() == absl::StatusCode::kInvalidArgument && ErrorReason(status) == "FIELD_INVALID"));
  return status.ok() ? "" : ErrorMetadata(status).at("field");
}

TEST(DeliveryPolicyTest, TheDefaultsAreValid) { EXPECT_TRUE(DeliveryPolicy().Validate().ok()); }

TEST(DeliveryPolicyTest, EveryLimitIsCheckedAtItsEdgeAndNamed) {
  const struct {
    const char* field;
    std::function<void(DeliveryPolicy&)> lowest, too_low, highest, too_high;
  } kLimits[] = {
      {"delivery_policy.ack_deadline", [](auto& p) { p.ack_deadline = milliseconds(10); },
       [](auto& p) { p.ack_deadline = milliseconds(10) - Duration(1); }, [](auto& p) { p.ack_deadline = hours(1); },
       [](auto& p) { p.ack_deadline = hours(1) + Duration(1); }},
      {"delivery_policy.max_ack_extension", [](auto& p) { p.max_ack_extension = Duration(0); },
       [](auto& p) { p.max_ack_extension = Duration(-1); }, [](auto& p) { p.max_ack_extension = hours(24); },
       [](auto& p) { p.max_ack_extension = hours(24) + Duration(1); }},
      {"delivery_policy.max_attempts", [](auto& p) { p.max_attempts = 1; }, [](auto& p) { p.max_attempts = 0; },
       [](auto& p) { p.max_attempts = 1000; }, [](auto& p) { p.max_attempts = 1001; }},
      {"delivery_policy.minimum_backoff", [](auto& p) { p.minimum_backoff = milliseconds(1); },
       [](auto& p) { p.minimum_backoff = milliseconds(1) - Duration(1); },
       [](auto& p) { p.minimum_backoff = p.maximum_backoff = hours(1); },
       [](auto& p) {
         p.minimum_backoff = hours(1) + Duration(1);
         p.maximum_backoff = hours(2);
       }},
      {"delivery_policy.maximum_backoff", [](auto& p) { p.maximum_backoff = p.minimum_backoff; },
       [](auto& p) { p.maximum_backoff = p.minimum_backoff - Duration(1); }, [](auto& p) { p.maximum_backoff = hours(24); },
       [](auto& p) { p.maximum_backoff = hours(24) + Duration(1); }},
      {"delivery_policy.backoff_multiplier", [](auto& p) { p.backoff_multiplier = 1; },
       [](auto& p) { p.backoff_multiplier = 0.999; }, [](auto& p) { p.backoff_multiplier = 10; },
       [](auto& p) { p.backoff_multiplier = 10.001; }},
  };

  for (const auto& limit : kLimits) {
    SCOPED_TRACE(limit.field);
    EXPECT_EQ(InvalidField(limit.lowest), "");
    EXPECT_EQ(InvalidField(limit.highest), "");
    EXPECT_EQ(InvalidField(limit.too_low), limit.field);
    EXPECT_EQ(InvalidField(limit.too_high), limit.field);
  }
}

TEST(DeliveryPolicyTest, AMultiplierThatIsNoNumberIsRefused) {
  EXPECT_EQ(InvalidField([](auto& p) { p.backoff_multiplier = std::numeric_limits<double>::quiet_NaN(); }),
            "delivery_policy.backoff_multiplier");
}

TEST(DeliveryPolicyTest, TheBackoffGrowsByTheMultiplierUpToItsMaximumWithinTenPercentOfJitter) {
  const DeliveryPolicy policy;
  SeededRandom random(7);
  const double nominal_seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

  for (int round = 0; round < 200; ++round) {
    for (uint32_t failed = 1; failed <= std::size(nominal_seconds); ++failed) {
      const double wait = std::chrono::duration<double>(policy.Backoff(failed, random)).count();
      ASSERT_GE(wait, 0.9 * nominal_seconds[failed - 1]) << "after failure " << failed;
      ASSERT_LE(wait, 1.1 * nominal_seconds[failed - 1]) << "after failure " << failed;
    }
  }
}

TEST(DeliveryPolicyTest, TheJitterSpreadsOverItsWholeRange) {
  const DeliveryPolicy policy;
  SeededRandom random(7);
  Duration shortest = hours(1), longest{0};

  for (int i = 0; i < 1000; ++i) {
    const Duration wait = policy.Backoff(1, random);
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }

  EXPECT_LT(shortest, milliseconds(910));
  EXPECT_GT(longest, milliseconds(1090));
}

TEST(DeliveryPolicyTest, TheThousandthBackoffIsStillTheMaximumAndNoOverflow) {
  DeliveryPolicy policy;
  policy.backoff_multiplier = 10;
  policy.max_attempts = 1000;
  SeededRandom random(7);

  const Duration wait = policy.Backoff(999, random);

  EXPECT_GE(wait, seconds(54));
  EXPECT_LE(wait, seconds(66));
}

}  // namespace
}  // namespace pvebus::bus
