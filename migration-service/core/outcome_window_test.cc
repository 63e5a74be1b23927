#include "migration-service/core/outcome_window.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

namespace pvebus::migration {
namespace {

using std::chrono::milliseconds;

class OutcomeWindowTest : public testing::Test {
 protected:
  static Endpoint At(const std::string& path, const std::string& method = "GET") { return *ParseEndpoint(method, path); }

  bool Rust(CallResult result) { return window_.Report(At("nodes/a/network"), Implementation::kRust, result, milliseconds(1)); }
  // How often stepping back was told.
  int Rust(CallResult result, int calls) {
    int told = 0;
    for (int i = 0; i < calls; ++i) told += Rust(result) ? 1 : 0;
    return told;
  }

  OutcomeWindow window_{{.window = 10, .least = 4, .step_back = 0.25, .most_endpoints = 3}};
};

TEST_F(OutcomeWindowTest, OnlyFailuresOfTheImplementationAreFailures) {
  EXPECT_FALSE(IsFailure(CallResult::kSucceeded));
  EXPECT_FALSE(IsFailure(CallResult::kRefused));
  EXPECT_TRUE(IsFailure(CallResult::kFailed));
  EXPECT_TRUE(IsFailure(CallResult::kTimedOut));
}

TEST_F(OutcomeWindowTest, TooManyFailuresAreToldOnce) {
  EXPECT_EQ(Rust(CallResult::kSucceeded, 3), 0);
  EXPECT_FALSE(Rust(CallResult::kFailed)) << "a share that is reached is not passed";

  EXPECT_TRUE(Rust(CallResult::kTimedOut));
  EXPECT_EQ(Rust(CallResult::kFailed, 20), 0);
}

TEST_F(OutcomeWindowTest, WhatCameToNothingIsToldAgain) {
  EXPECT_EQ(Rust(CallResult::kFailed, 10), 1);

  window_.TellAgain();

  EXPECT_EQ(Rust(CallResult::kFailed, 10), 1);
}

TEST_F(OutcomeWindowTest, LatenciesThatCannotBeDoNotSpoilTheSums) {
  for (const Duration latency : {Duration::max(), Duration::min(), Duration::max(), Duration(-1)}) {
    window_.Report(At("version"), Implementation::kRust, CallResult::kSucceeded, latency);
  }

  const EndpointShare share = window_.Shares().front();
  EXPECT_EQ(share.longest, std::chrono::hours(24));
  EXPECT_EQ(share.total, std::chrono::hours(48));
}

TEST_F(OutcomeWindowTest, NothingIsToldBeforeTheLeast) {
  EXPECT_EQ(Rust(CallResult::kFailed, 3), 0);
  EXPECT_TRUE(Rust(CallResult::kFailed));
}

TEST_F(OutcomeWindowTest, LeastIsNeverMoreThanTheWindow) {
  OutcomeWindow window({.window = 2, .least = 100, .step_back = 0.5});
  const Endpoint endpoint = At("version");

  EXPECT_FALSE(window.Report(endpoint, Implementation::kRust, CallResult::kFailed, {}));
  EXPECT_TRUE(window.Report(endpoint, Implementation::kRust, CallResult::kFailed, {}));
}

TEST_F(OutcomeWindowTest, WindowSlides) {
  EXPECT_EQ(Rust(CallResult::kSucceeded, 8), 0);
  EXPECT_EQ(Rust(CallResult::kFailed, 2), 0);
  EXPECT_EQ(Rust(CallResult::kSucceeded, 8), 0);
  EXPECT_EQ(window_.Describe(), "2 of the last 10 calls of the new implementation failed (20.0 %, at most 25.0 %)");

  EXPECT_EQ(Rust(CallResult::kSucceeded, 1), 0);
  EXPECT_EQ(Rust(CallResult::kFailed, 1), 0) << "the older one has left the window";
  EXPECT_EQ(window_.Describe(), "1 of the last 10 calls of the new implementation failed (10.0 %, at most 25.0 %)");
}

TEST_F(OutcomeWindowTest, AfterClearItBeginsAnew) {
  EXPECT_EQ(Rust(CallResult::kFailed, 10), 1);

  window_.Clear();

  EXPECT_TRUE(window_.Shares().empty());
  EXPECT_EQ(window_.Describe(), "0 of the last 0 calls of the new implementation failed (0.0 %, at most 25.0 %)");
  EXPECT_EQ(Rust(CallResult::kFailed, 3), 0);
  EXPECT_TRUE(Rust(CallResult::kFailed));
}

TEST_F(OutcomeWindowTest, WhatTheCallerDidWrongDoesNotCountAsFailure) {
  EXPECT_EQ(Rust(CallResult::kRefused, 100), 0);
  EXPECT_EQ(window_.Describe(), "0 of the last 10 calls of the new implementation failed (0.0 %, at most 25.0 %)");
}

TEST_F(OutcomeWindowTest, PerlDoesNotCountForSteppingBack) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(window_.Report(At("version"), Implementation::kPerl, CallResult::kFailed, milliseconds(1)));
  }
  EXPECT_EQ(window_.Shares().at(0).failures, 20u);
}

TEST_F(OutcomeWindowTest, WithoutAThresholdNothingIsTold) {
  OutcomeWindow window({.window = 10, .least = 1});
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(window.Report(At("version"), Implementation::kRust, CallResult::kFailed, {}));
  }
  EXPECT_EQ(window.Describe(), "10 of the last 10 calls of the new implementation failed (100.0 %)");
}

TEST_F(OutcomeWindowTest, SharesAreSumsPerEndpointWithoutIds) {
  window_.Report(At("nodes/a/network/vmbr0", "PUT"), Implementation::kRust, CallResult::kSucceeded, milliseconds(10));
  window_.Report(At("nodes/b/network/vmbr1", "PUT"), Implementation::kRust, CallResult::kFailed, milliseconds(30));
  window_.Report(At("nodes/b/network/vmbr1", "PUT"), Implementation::kPerl, CallResult::kSucceeded, milliseconds(5));

  const std::vector<EndpointShare> shares = window_.Shares();

  ASSERT_EQ(shares.size(), 2u);
  EXPECT_EQ(shares[0].method, "PUT");
  EXPECT_EQ(shares[0].pattern, "nodes/{}/network/{}");
  EXPECT_EQ(shares[0].implementation, Implementation::kRust);
  EXPECT_EQ(shares[0].reports, 2u);
  EXPECT_EQ(shares[0].failures, 1u);
  EXPECT_EQ(shares[0].longest, milliseconds(30));
  EXPECT_EQ(shares[0].total, milliseconds(40));
  EXPECT_EQ(shares[1].implementation, Implementation::kPerl);
  EXPECT_EQ(shares[1].reports, 1u);
}

TEST_F(OutcomeWindowTest, EndpointsBeyondTheLimitAreSummedUp) {
  for (int i = 0; i < 1000; ++i) {
    window_.Report(At(absl::StrFormat("made/up/a%dx", i)), Implementation::kRust, CallResult::kSucceeded, milliseconds(1));
    window_.Report(At(absl::StrFormat("made/up/a%dx", i)), Implementation::kPerl, CallResult::kFailed, milliseconds(1));
  }

  const std::vector<EndpointShare> shares = window_.Shares();

  ASSERT_EQ(shares.size(), 5u) << "the limit, and the others of each implementation";
  EXPECT_EQ(shares[0].method, "*");
  EXPECT_EQ(shares[0].pattern, "**");
  EXPECT_EQ(shares[0].implementation, Implementation::kPerl);
  EXPECT_EQ(shares[0].failures, 999u);
  uint64_t reports = 0;
  for (const EndpointShare& share : shares) reports += share.reports;
  EXPECT_EQ(reports, 2000u);
}

TEST_F(OutcomeWindowTest, OfManyThreadsOneIsTold) {
  std::atomic<int> told = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      told += Rust(CallResult::kFailed, 200);
      (void)window_.Shares();
      (void)window_.Describe();
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(told, 1);
  EXPECT_EQ(window_.Shares().at(0).reports, 800u);
}

}  // namespace
}  // namespace pvebus::migration
