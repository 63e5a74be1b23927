#include "sdk/client/verdict.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::client {
namespace {

using absl::StatusCode;

TEST(VerdictTest, ALostStreamIsOpenedAgain) {
  EXPECT_EQ(Judge(absl::OkStatus()), Verdict::kReconnect);
  EXPECT_EQ(Judge(absl::UnavailableError("connection refused")), Verdict::kReconnect);
  EXPECT_EQ(Judge(MakeError(StatusCode::kUnavailable, "DRAINING", "bye")), Verdict::kReconnect);
  EXPECT_EQ(Judge(MakeError(StatusCode::kAborted, "LEASE_EXPIRED", "too quiet")), Verdict::kReconnect);
  EXPECT_EQ(Judge(MakeError(StatusCode::kDeadlineExceeded, "REGISTRATION_EXPECTED", "too slow")), Verdict::kReconnect);
  EXPECT_EQ(Judge(absl::ResourceExhaustedError("message larger than max")), Verdict::kReconnect);
  EXPECT_EQ(Judge(absl::CancelledError("")), Verdict::kReconnect);
}

TEST(VerdictTest, WhoLostTheNameDoesNotFightForIt) {
  EXPECT_EQ(Judge(MakeError(StatusCode::kAborted, "SESSION_SUPERSEDED", "by b")), Verdict::kSuperseded);
  EXPECT_EQ(Judge(MakeError(StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE", "by b")), Verdict::kNameInUse);
}

TEST(VerdictTest, WhatWillNeverWorkIsFinal) {
  EXPECT_EQ(Judge(MakeError(StatusCode::kInvalidArgument, "FILTER_INVALID", "")), Verdict::kRefused);
  EXPECT_EQ(Judge(MakeError(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED", "")), Verdict::kRefused);
  EXPECT_EQ(Judge(MakeError(StatusCode::kAborted, "LISTENER_EVICTED", "")), Verdict::kRefused);
  EXPECT_EQ(Judge(MakeError(StatusCode::kAborted, "LISTENER_DELETED", "")), Verdict::kRefused);
  EXPECT_EQ(Judge(absl::UnimplementedError("no such service")), Verdict::kRefused);
}

}  // namespace
}  // namespace pvebus::client
