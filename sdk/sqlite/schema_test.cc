#include "sdk/sqlite/schema.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus {
namespace {

using absl::StatusCode;

const SqliteSchema kSchema{.reason = "THINGS", .when_away = "to begin anew"};

absl::Status Advised(StatusCode code) { return WithAdvice(absl::Status(code, "reading things.db"), "things.db", kSchema); }

TEST(WithAdviceTest, EachKindOfErrorSaysWhatToDo) {
  const absl::Status damaged = Advised(StatusCode::kDataLoss);
  const absl::Status full = Advised(StatusCode::kResourceExhausted);
  const absl::Status broken = Advised(StatusCode::kInternal);
  const absl::Status forbidden = Advised(StatusCode::kPermissionDenied);

  EXPECT_EQ(ErrorReason(damaged), "THINGS_DAMAGED");
  EXPECT_EQ(damaged.message(),
            "reading things.db; put a copy of things.db back, or move it (and things.db-wal) away to begin anew");
  EXPECT_EQ(ErrorReason(full), "THINGS_FULL");
  EXPECT_EQ(full.message(), "reading things.db; make room there, or name another directory with --data-dir");
  EXPECT_EQ(ErrorReason(broken), "THINGS_UNUSABLE");
  EXPECT_EQ(broken.message(), "reading things.db; look after the disk, or move it (and things.db-wal) away to begin anew");
  EXPECT_EQ(ErrorReason(forbidden), "THINGS_UNUSABLE");
  EXPECT_EQ(forbidden.message(), "reading things.db; let this user read and write it, or name another directory with --data-dir");
  EXPECT_EQ(ErrorMetadata(damaged).at("path"), "things.db");
}

TEST(WithAdviceTest, KeepsTheCode) {
  EXPECT_EQ(Advised(StatusCode::kDataLoss).code(), StatusCode::kDataLoss);
  EXPECT_EQ(Advised(StatusCode::kFailedPrecondition).code(), StatusCode::kFailedPrecondition);
}

TEST(WithAdviceTest, WhatHasAReasonStaysAsItIs) {
  const absl::Status foreign = ForeignFile(kSchema, "things.db", "is somebody else's");

  EXPECT_EQ(WithAdvice(foreign, "things.db", kSchema), foreign);
  EXPECT_TRUE(WithAdvice(absl::OkStatus(), "things.db", kSchema).ok());
}

}  // namespace
}  // namespace pvebus
