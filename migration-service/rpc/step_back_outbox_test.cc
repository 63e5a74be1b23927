#include "migration-service/rpc/step_back_outbox.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "migration-service/rpc/phase_event.h"

namespace pvebus::migration {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const PhaseOrder kOrder{.to = Phase::kPerlOnly,
                        .from = Phase::kRustReadOnly,
                        .automatic = true,
                        .reason = "12 of 50 failed",
                        .requested_by = "migration-service",
                        .event_id = "step-back:1-rust-read-only"};

class StepBackOutboxTest : public testing::Test {
 protected:
  MemoryMigrationStore store_;
  StepBackOutbox outbox_{store_};
};

TEST_F(StepBackOutboxTest, OrderIsItsOnlyEntryUntilItIsRemoved) {
  EXPECT_THAT(*outbox_.Entries(), IsEmpty());
  ASSERT_TRUE(store_.PutStepBack(kOrder).ok());

  const auto entries = outbox_.Entries();

  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_THAT(*entries, SizeIs(1));
  EXPECT_EQ((*entries)[0].label, "notice=step_back phase=perl-only");
  EXPECT_EQ((*entries)[0].request_id, kOrder.event_id);
  EXPECT_EQ(*OrderOf((*entries)[0].event), kOrder);
  ASSERT_TRUE(outbox_.Remove((*entries)[0].key).ok());
  EXPECT_THAT(*outbox_.Entries(), IsEmpty());
}

TEST_F(StepBackOutboxTest, OrderThatCameMeanwhileStays) {
  ASSERT_TRUE(store_.PutStepBack(kOrder).ok());
  const std::string published = outbox_.Entries()->front().key;
  PhaseOrder later = kOrder;
  later.event_id = "step-back:3-rust-read-only";
  ASSERT_TRUE(store_.PutStepBack(later).ok());

  ASSERT_TRUE(outbox_.Remove(published).ok());

  EXPECT_THAT(*outbox_.Entries(), SizeIs(1));
}

TEST_F(StepBackOutboxTest, WhatTheStoreCannotDoIsSaid) {
  ASSERT_TRUE(store_.PutStepBack(kOrder).ok());
  store_.FailNextRead(absl::UnavailableError("the disk is gone"));
  store_.FailNext(absl::UnavailableError("the disk is gone"));

  EXPECT_EQ(outbox_.Entries().status().message(), "the disk is gone");
  EXPECT_EQ(outbox_.Remove(kOrder.event_id).message(), "the disk is gone");
  EXPECT_THAT(*outbox_.Entries(), SizeIs(1));
}

}  // namespace
}  // namespace pvebus::migration
