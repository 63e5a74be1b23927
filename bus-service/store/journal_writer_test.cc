#include "bus-service/store/journal_writer.h"

#include "bus-service/store/testing/failing_vfs.h"
#include "bus-service/store/testing/log_driver.h"
#include "gtest/gtest.h"

namespace pvebus::bus {
namespace {

// Through SqliteEventLog, which is how the bus has it.
class JournalWriterTest : public testing::Test {
 protected:
  JournalWriterTest() { Open(); }

  void Open() { ASSERT_TRUE(driver_.Open().ok()); }
  SqliteEventLog& log() { return driver_.log(); }
  void Append(Sequence sequence, const std::string& mark = {}) {
    auto event = MakeEvent(sequence);
    if (!mark.empty()) event->source = mark;
    log().Append(std::move(event),
                 [this, sequence](const absl::Status& status) { calls_.emplace_back(sequence, status.code()); });
  }
  void Await(size_t calls) {
    driver_.posts().RunUntil(std::to_string(calls) + " answers", [&] { return calls_.size() >= calls; });
  }
  std::vector<Sequence> Answered(absl::StatusCode code) const {
    std::vector<Sequence> sequences;
    for (const auto& [sequence, status] : calls_) {
      if (status == code) sequences.push_back(sequence);
    }
    return sequences;
  }

  const TemporaryDirectory directory_;
  FailingVfs vfs_{"journal-writer-test"};
  std::vector<std::pair<Sequence, absl::StatusCode>> calls_;
  LogDriver driver_{directory_ / "data", vfs_.name()};
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
  log().SaveListener(1, MakeSnapshot("a"));
  for (Sequence next = 1; next <= 500; ++next) log().SaveProgress(1, {next, 0, {}, {}, next});
  ASSERT_TRUE(driver_.Sync().ok());
  driver_.Shut();
  Open();

  EXPECT_EQ(driver_.recovery().listeners.at(0).progress.next_sequence, 500u);
  EXPECT_EQ(driver_.recovery().listeners.at(0).progress.ahead, 500u);
}

TEST_F(JournalWriterTest, OnAFullDiskAppendsFailNewestFirstAndTheirSequencesServeAgain) {
  for (const int failure : {SQLITE_FULL, SQLITE_IOERR_WRITE}) {
    SCOPED_TRACE(failure);
    const Sequence first = log().GetStats().last_sequence + 1;
    calls_.clear();
    vfs_.write_result = failure;
    for (Sequence sequence = first; sequence < first + 4; ++sequence) Append(sequence, "lost");
    driver_.posts().Await("the failure to be told");
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
  driver_.Shut();
  Open();
  const auto events = driver_.ReadAll();
  ASSERT_EQ(events->size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(Same(*(*events)[i], *MakeEvent(i + 1))) << i;
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
  log().SaveListener(1, MakeSnapshot("a"));
  log().SaveProgress(1, {3, 0, {}});
  log().SaveDelivery(1, MakeDelivery(5));
  EXPECT_EQ(driver_.Sync().code(), absl::StatusCode::kResourceExhausted);
  log().SaveProgress(1, {4, 0, {}});  // newer than the one that failed

  vfs_.write_result = SQLITE_OK;
  ASSERT_TRUE(driver_.Sync().ok());
  driver_.Shut();
  Open();
  ASSERT_EQ(driver_.recovery().listeners.size(), 1u);
  EXPECT_TRUE(Same(driver_.recovery().listeners[0].snapshot, MakeSnapshot("a")));
  EXPECT_EQ(driver_.recovery().listeners[0].progress.next_sequence, 4u);
  ASSERT_EQ(driver_.recovery().listeners[0].deliveries.size(), 1u);
  EXPECT_TRUE(Same(driver_.recovery().listeners[0].deliveries[0], MakeDelivery(5)));
}

TEST_F(JournalWriterTest, ABusThatEndsRightAfterAFailureLeavesNoGap) {
  Append(1);
  Await(1);
  vfs_.write_result = SQLITE_FULL;
  Append(2);
  driver_.posts().Await("the failure to be told");  // but nobody has heard it yet
  Append(3);
  vfs_.write_result = SQLITE_OK;
  log().Close();
  driver_.Shut();

  Open();
  EXPECT_EQ(driver_.ReadAll()->size(), 1u) << "without 2 there is no 3";
}

TEST_F(JournalWriterTest, ADeletedListenerStaysDeletedWhenItsProgressFailedBefore) {
  log().SaveListener(1, MakeSnapshot("a"));
  log().SaveProgress(1, {1, 0, {}});
  ASSERT_TRUE(driver_.Sync().ok());
  vfs_.write_result = SQLITE_FULL;
  log().SaveProgress(1, {2, 0, {}});
  EXPECT_FALSE(driver_.Sync().ok());
  log().DropListener(1);
  vfs_.write_result = SQLITE_OK;
  ASSERT_TRUE(driver_.Sync().ok());
  driver_.Shut();

  Open();
  EXPECT_TRUE(driver_.recovery().listeners.empty());
}

}  // namespace
}  // namespace pvebus::bus
