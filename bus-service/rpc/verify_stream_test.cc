#include "bus-service/rpc/verify_stream.h"

#include "bus-service/core/testing/fake_event_log.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

class VerificationTest : public testing::Test {
 protected:
  LoopClock clock_;
  grpc::ServerBuilder builder_;
  EventLoop loop_{builder_.AddCompletionQueue(), clock_};
  ServerStream::Host streams_{nullptr, nullptr, loop_, {}};
  FakeEventLog log_;
  Verification verification_{log_, streams_};
};

TEST_F(VerificationTest, WhoComesWhileOneRunsIsToldOfThatOne) {
  const auto first = verification_.Join();
  log_.verify_progress(7, {}, false);

  const auto second = verification_.Join();

  EXPECT_EQ(second, first);
  EXPECT_EQ(second->checked_events, 7u);
}

TEST_F(VerificationTest, ItEndsWithTheLastWhoListens) {
  auto first = verification_.Join();
  auto second = verification_.Join();
  const std::stop_token stop = log_.verify_stop;

  first = nullptr;
  EXPECT_FALSE(stop.stop_requested());
  second = nullptr;

  EXPECT_TRUE(stop.stop_requested());
  log_.verify_progress(8, {}, false);  // was under way
  EXPECT_EQ(verification_.Join()->checked_events, 0u) << "another begins anew";
}

TEST_F(VerificationTest, WhoComesAfterTheEndHasAnother) {
  const auto first = verification_.Join();
  log_.verify_progress(9, {{"events", 3, "spoilt"}}, true);

  const auto second = verification_.Join();

  EXPECT_TRUE(first->done);
  EXPECT_EQ(first->problems.size(), 1u);
  EXPECT_NE(second, first);
  EXPECT_FALSE(second->done);
}

}  // namespace
}  // namespace pvebus::bus
