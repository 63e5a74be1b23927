#include "bus-service/store/journal_writer.h"

#include "bus-service/store/testing/failing_vfs.h"
#include "bus-service/store/testing/journal_rig.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

// Through SqliteEventLog, which is how the bus has it.
class JournalWriterTest : public testing::Test {
 protected:
  JournalWriterTest() { Open(); }

  void Open() {
    auto opened = SqliteEventLog::Open(data_, 64 << 20, posts_.Post(), logger_, vfs_.name());
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = std::move(opened->log);
    recovery_ = std::move(opened->recovery);
  }
  void Append(Sequence sequence, const std::string& mark = {}) {
    auto event = MakeEvent(sequence);
    if (!mark.empty()) event->source = mark;
    log_->Append(std::move(event),
                 [this, sequence](const absl::Status& status) { calls_.emplace_back(sequence, status.code()); });
  }
  void Await(size_t calls) {
    posts_.RunUntil(std::to_string(calls) + " answers", [&] { return calls_.size() >= calls; });
  }
  std::vector<Sequence> Answered(absl::StatusCode code) const {
    std::vector<Sequence> sequences;
    for (const auto& [sequence, status] : calls_) {
      if (status == code) sequences.push_back(sequence);
    }
    return sequences;
  }

  const TemporaryDirectory directory_;
  const std::string data_ = directory_ / "data";
  FailingVfs vfs_{"journal-writer-test"};
  NullLogger logger_;
  PostQueue posts_;
  std::vector<std::pair<Sequence, absl::StatusCode>> calls_;
  std::unique_ptr<SqliteEventLog> log_;
  Recovery recovery_;
};

TEST_F(JournalWriterTest, ManyAppendsAtOnceCostFewCommits) {
  Append(1);
  Await(1);
  const int before = vfs_.syncs;
  for (Sequence sequence = 2; sequence <= 1001; ++sequence) Append(sequence);
  Await(1001);

  EXPECT_LT(vfs_.syncs - before, 200) << "1000 appends";
  for (size_t i = 0; i < calls_.size(); ++i) EXPECT_EQ(calls_[i], std::pair(Sequence{i + 1}, absl::StatusCode::kOk));
}

TEST_F(JournalWriterTest, AnAppendIsSyncedBeforeItIsAnswered) {
  for (Sequence sequence = 1; sequence <= 20; ++sequence) {
    const int before = vfs_.syncs;
    Append(sequence);
    Await(sequence);
    EXPECT_GT(vfs_.syncs, before) << sequence;
  }
}

TEST_F(JournalWriterTest, OfAListenersProgressOnlyTheNewestIsKept) {
  log_->SaveListener(1, MakeSnapshot("a"));
  for (Sequence next = 1; next <= 500; ++next) log_->SaveProgress(1, {next, 0, {next + 1}});
  ASSERT_TRUE(posts_.Sync(*log_).ok());
  log_ = nullptr;
  Open();

  EXPECT_EQ(recovery_.listeners.at(0).progress.next_sequence, 500u);
  EXPECT_EQ(recovery_.listeners.at(0).progress.unsettled, (std::vector<Sequence>{501}));
}

TEST_F(JournalWriterTest, OnAFullDiskAppendsFailNewestFirstAndTheirSequencesServeAgain) {
  for (const int failure : {SQLITE_FULL, SQLITE_IOERR_WRITE}) {
    SCOPED_TRACE(failure);
    const Sequence first = log_->GetStats().last_sequence + 1;
    calls_.clear();
    vfs_.write_result = failure;
    for (Sequence sequence = first; sequence < first + 4; ++sequence) Append(sequence, "lost");
    posts_.Await("the failure to be told");
    Append(first + 4, "lost");  // came after the one that failed
    Await(5);

    const auto code = failure == SQLITE_FULL ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal;
    EXPECT_EQ(Answered(code), (std::vector<Sequence>{first + 4, first + 3, first + 2, first + 1, first}));
    vfs_.write_result = SQLITE_OK;
    Append(first);
    Append(first + 1);
    Await(7);
    EXPECT_EQ(Answered(absl::StatusCode::kOk), (std::vector<Sequence>{first, first + 1})) << "it goes on when there is room";
  }
  log_ = nullptr;
  Open();
  ASSERT_EQ(recovery_.events.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(Same(*recovery_.events[i], *MakeEvent(i + 1))) << i;
}

TEST_F(JournalWriterTest, ASyncThatFailsIsAnAppendThatFailed) {
  vfs_.sync_result = SQLITE_IOERR_FSYNC;
  Append(1);
  Await(1);
  EXPECT_EQ(calls_[0].second, absl::StatusCode::kInternal);

  vfs_.sync_result = SQLITE_OK;
  Append(1);
  Await(2);
  EXPECT_EQ(calls_[1].second, absl::StatusCode::kOk);
}

TEST_F(JournalWriterTest, WhatWasSavedOnAFullDiskIsSavedWhenThereIsRoom) {
  vfs_.write_result = SQLITE_FULL;
  log_->SaveListener(1, MakeSnapshot("a"));
  log_->SaveProgress(1, {3, 0, {}});
  log_->SaveDelivery(1, MakeDelivery(2));
  EXPECT_EQ(posts_.Sync(*log_).code(), absl::StatusCode::kResourceExhausted);
  log_->SaveProgress(1, {4, 0, {}});  // newer than the one that failed

  vfs_.write_result = SQLITE_OK;
  ASSERT_TRUE(posts_.Sync(*log_).ok());
  log_ = nullptr;
  Open();
  ASSERT_EQ(recovery_.listeners.size(), 1u);
  EXPECT_TRUE(Same(recovery_.listeners[0].snapshot, MakeSnapshot("a")));
  EXPECT_EQ(recovery_.listeners[0].progress.next_sequence, 4u);
  ASSERT_EQ(recovery_.listeners[0].deliveries.size(), 1u);
  EXPECT_TRUE(Same(recovery_.listeners[0].deliveries[0], MakeDelivery(2)));
}

TEST_F(JournalWriterTest, ABusThatEndsRightAfterAFailureLeavesNoGap) {
  Append(1);
  Await(1);
  vfs_.write_result = SQLITE_FULL;
  Append(2);
  posts_.Await("the failure to be told");  // but nobody has heard it yet
  Append(3);
  vfs_.write_result = SQLITE_OK;
  log_->Close();
  log_ = nullptr;

  Open();
  EXPECT_EQ(recovery_.events.size(), 1u) << "without 2 there is no 3";
}

TEST_F(JournalWriterTest, ADeletedListenerStaysDeletedWhenItsProgressFailedBefore) {
  log_->SaveListener(1, MakeSnapshot("a"));
  log_->SaveProgress(1, {1, 0, {}});
  ASSERT_TRUE(posts_.Sync(*log_).ok());
  vfs_.write_result = SQLITE_FULL;
  log_->SaveProgress(1, {2, 0, {}});
  EXPECT_FALSE(posts_.Sync(*log_).ok());
  log_->DropListener(1);
  vfs_.write_result = SQLITE_OK;
  ASSERT_TRUE(posts_.Sync(*log_).ok());
  log_ = nullptr;

  Open();
  EXPECT_TRUE(recovery_.listeners.empty());
}

}  // namespace
}  // namespace pvebus::bus
