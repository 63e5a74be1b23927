#include "migration-service/core/errors.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using absl::StatusCode;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

struct Expected {
  absl::Status status;
  StatusCode code;
  std::string reason;
  std::string field;
};

TEST(MigrationErrorsTest, EachSaysWhatTheCallerShouldDo) {
  const Expected all[] = {
      {MethodInvalid("G T"), StatusCode::kInvalidArgument, "METHOD_INVALID", "method"},
      {PathInvalid("why"), StatusCode::kInvalidArgument, "PATH_INVALID", "path"},
      {PatternInvalid("*"), StatusCode::kInvalidArgument, "PATTERN_INVALID", "pattern"},
      {OverrideInvalid("x", "why"), StatusCode::kInvalidArgument, "OVERRIDE_INVALID", "override"},
      {PhaseInvalid(77), StatusCode::kInvalidArgument, "PHASE_INVALID", "phase"},
      {FieldTooLong("reason", 1024), StatusCode::kInvalidArgument, "FIELD_TOO_LONG", "reason"},
      {ReasonMissing(Phase::kPerlOnly, Phase::kRustFull), StatusCode::kInvalidArgument, "REASON_MISSING", "reason"},
      {PhaseJump(Phase::kPerlOnly, Phase::kRustFull), StatusCode::kFailedPrecondition, "PHASE_JUMP", ""},
      {GatesClosed(Phase::kRustSdn, {}), StatusCode::kFailedPrecondition, "GATES_CLOSED", ""},
      {EtagMismatch("3-rust-sdn"), StatusCode::kAborted, "ETAG_MISMATCH", "etag"},
      {PhaseChanged(Phase::kRustSdn, Phase::kPerlOnly), StatusCode::kAborted, "PHASE_CHANGED", ""},
      {StateNotNew(), StatusCode::kFailedPrecondition, "STATE_NOT_NEW", ""},
  };
  for (const Expected& expected : all) {
    EXPECT_EQ(expected.status.code(), expected.code) << expected.status;
    EXPECT_EQ(ErrorReason(expected.status), expected.reason);
    EXPECT_EQ(ErrorMetadata(expected.status)["field"], expected.field) << expected.status;
  }
}

TEST(MigrationErrorsTest, JumpNamesTheStepThatIsNext) {
  const absl::Status status = PhaseJump(Phase::kRustReadOnly, Phase::kRustFull);

  EXPECT_EQ(status.message(),
            "from rust-read-only it goes one step forward, to rust-basic-write, and not to rust-full, unless with force and a "
            "reason");
  EXPECT_THAT(ErrorMetadata(status), Contains(Pair("from", "rust-read-only")));
  EXPECT_THAT(ErrorMetadata(status), Contains(Pair("to", "rust-full")));
}

TEST(MigrationErrorsTest, OnlyClosedGatesAreNamed) {
  const absl::Status status = GatesClosed(
      Phase::kRustSdn,
      {{"transactions", false, "3 of 10"}, {"failure-share", true, "none"}, {"dead-letters/a", false, "2 dead letters"}});

  EXPECT_THAT(std::string(status.message()), HasSubstr("transactions: 3 of 10; dead-letters/a: 2 dead letters"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("failure-share")));
  EXPECT_EQ(ErrorMetadata(status)["gates"], "transactions,dead-letters/a");
}

TEST(MigrationErrorsTest, WhatWasSentIsCutAndReadable) {
  const absl::Status status = MethodInvalid(std::string(200, 'x') + "\xff");

  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(100, 'x') + "...\""));
  EXPECT_THAT(std::string(MethodInvalid("\xff").message()), HasSubstr("\"?\""));
}

}  // namespace
}  // namespace pvebus::migration
