#include "network-service/store/sqlite_apply_store.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/store/testing_apply_records.h"
#include "sdk/base/error.h"

namespace pvebus::network {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SqliteApplyStoreTest : public testing::Test {
 protected:
  SqliteApplyStoreTest() {
    std::string pattern = testing::TempDir() + "sqlite_apply_store_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SqliteApplyStoreTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<SqliteApplyStore> Open(size_t history_limit = 100) {
    auto store = SqliteApplyStore::Open(directory_, history_limit);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  absl::Status OpenError() { return SqliteApplyStore::Open(directory_, 100).status(); }
  std::string path() const { return directory_ + "/state/network.db"; }
  void Execute(const std::string& sql) {
    std::filesystem::create_directories(directory_ + "/state");
    const absl::Status status = (*SqliteDatabase::Open(path()))->Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }

  std::string directory_;
};

TEST_F(SqliteApplyStoreTest, KeepsAllOverARestart) {
  ApplyRecord record = FullApply("a");
  record.state = ApplyState::kReverting;
  ASSERT_TRUE(Open()->Add(record, {NoticeKind::kApplied}, KnownConfiguration{"interfaces", "boot"}).ok());
  ASSERT_TRUE(Open()->Update(record, {NoticeKind::kReverted}, {}).ok());
  ASSERT_TRUE(Open()->PutPublishResult("a", NoticeKind::kApplied, "result").ok());

  const auto store = Open();

  ASSERT_EQ(store->UnderWay()->size(), 1u);
  EXPECT_EQ(store->UnderWay()->at(0).number, record.number);
  EXPECT_EQ(store->UnderWay()->at(0).old_file, record.old_file);
  EXPECT_EQ(store->UnderWay()->at(0).warnings, record.warnings);
  EXPECT_EQ(store->Notices()->size(), 2u);
  EXPECT_EQ(store->Publications("a")->at(0).result, "result");
  EXPECT_EQ((*store->Known())->boot_id, "boot");
}

TEST_F(SqliteApplyStoreTest, LowerLimitHoldsFromTheNextAddOn) {
  const std::vector<std::string> ids = {"a", "b", "c", "d"};
  for (const std::string& id : ids) {
    ApplyRecord record = PlainApply(id);
    ASSERT_TRUE(Open(4)->Add(record, {}, {}).ok());
  }

  const auto store = Open(1);
  ApplyRecord record = PlainApply("e");
  ASSERT_TRUE(store->Add(record, {}, {}).ok());

  ASSERT_EQ(store->List(0, 10)->size(), 1u);
  EXPECT_EQ(store->List(0, 10)->at(0).apply_id, "e");
}

TEST_F(SqliteApplyStoreTest, EachCallIsKeptWholeOrNotAtAll) {
  const auto store = Open(1);
  ApplyRecord a = PlainApply("a", ApplyState::kApplying);
  ASSERT_TRUE(store->Add(a, {}, {}).ok());
  Execute("CREATE TRIGGER no BEFORE INSERT ON known BEGIN SELECT RAISE(FAIL, 'no'); END");
  const KnownConfiguration known{"interfaces", "boot"};
  ApplyRecord b = PlainApply("b");
  ApplyRecord committed = a;
  committed.state = ApplyState::kCommitted;

  const absl::Status added = store->Add(b, {NoticeKind::kApplied}, known);
  const absl::Status updated = store->Update(committed, {NoticeKind::kApplied}, known);

  EXPECT_EQ(ErrorReason(added), "NETWORK_STATE_UNUSABLE") << added;
  EXPECT_EQ(ErrorReason(updated), "NETWORK_STATE_UNUSABLE") << updated;
  EXPECT_EQ(b.number, 0);
  ASSERT_EQ(store->List(0, 10)->size(), 1u);
  EXPECT_EQ(store->List(0, 10)->at(0).state, ApplyState::kApplying);
  EXPECT_THAT(*store->Notices(), IsEmpty());
  EXPECT_THAT(*store->Publications("b"), IsEmpty());
  EXPECT_TRUE(store->Update(committed, {}, {}).ok());
}

TEST_F(SqliteApplyStoreTest, NothingIsAddedWhenTheOldestCannotBeForgotten) {
  const auto store = Open(1);
  ApplyRecord a = PlainApply("a");
  ASSERT_TRUE(store->Add(a, {}, {}).ok());
  Execute("CREATE TRIGGER no BEFORE DELETE ON applies BEGIN SELECT RAISE(FAIL, 'no'); END");
  ApplyRecord b = PlainApply("b");

  EXPECT_FALSE(store->Add(b, {}, KnownConfiguration{"interfaces", "boot"}).ok());

  ASSERT_EQ(store->List(0, 10)->size(), 1u);
  EXPECT_EQ(store->List(0, 10)->at(0).apply_id, "a");
  EXPECT_EQ(store->Known()->has_value(), false);
}

TEST_F(SqliteApplyStoreTest, ApplyIdIsNotUsedTwice) {
  const auto store = Open();
  ApplyRecord record = PlainApply("a");
  ASSERT_TRUE(store->Add(record, {}, {}).ok());

  EXPECT_EQ(store->Add(record, {NoticeKind::kApplied}, {}).code(), absl::StatusCode::kInternal);

  EXPECT_EQ(store->List(0, 10)->size(), 1u);
  EXPECT_THAT(*store->Notices(), IsEmpty());
}

TEST_F(SqliteApplyStoreTest, BelongsToOneProcess) {
  const auto store = Open();

  EXPECT_EQ(ErrorReason(OpenError()), "DATA_DIR_IN_USE");
}

TEST_F(SqliteApplyStoreTest, FileOfAnotherProgramIsRefused) {
  Execute("CREATE TABLE things (thing TEXT)");

  EXPECT_EQ(ErrorReason(OpenError()), "NETWORK_STATE_FOREIGN");
}

TEST_F(SqliteApplyStoreTest, NewerFileIsRefused) {
  Open();
  Execute("PRAGMA user_version = 99");

  const absl::Status status = OpenError();

  EXPECT_EQ(ErrorReason(status), "NETWORK_STATE_NEWER");
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 99"));
}

TEST_F(SqliteApplyStoreTest, DamagedFileIsNamedWithWhatToDo) {
  Open();
  std::filesystem::remove(path() + "-wal");
  std::ofstream(path(), std::ios::trunc) << std::string(8192, 'x');

  const absl::Status status = OpenError();

  EXPECT_EQ(ErrorReason(status), "NETWORK_STATE_DAMAGED") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("put a copy of " + path() + " back, or move it"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the configuration files stay as they are"));
}

TEST_F(SqliteApplyStoreTest, DamagedPageIsFoundWhenOpened) {
  ApplyRecord record = FullApply("a");
  ASSERT_TRUE(Open()->Add(record, {}, {}).ok());
  // A root page of zeros: no file of ours has fewer than ten.
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8192);
  file << std::string(8192, '\0');
  file.close();

  EXPECT_EQ(ErrorReason(OpenError()), "NETWORK_STATE_DAMAGED");
}

TEST_F(SqliteApplyStoreTest, RowThatMeansNothingIsNamed) {
  ApplyRecord record = PlainApply("a");
  ASSERT_TRUE(Open()->Add(record, {NoticeKind::kApplied}, {}).ok());
  const std::pair<const char*, const char*> damages[] = {
      {"applies", "state = 7"},        {"applies", "state = -1"},     {"applies", "source = 5"},
      {"applies", "warnings = x'31'"}, {"applies", "number = 0"},     {"applies", "reload_exit_code = 2147483648"},
      {"publications", "kind = 3"},    {"publications", "kind = -1"},
  };
  for (const auto& [table, damage] : damages) {
    std::filesystem::copy_file(path(), directory_ + "/whole", std::filesystem::copy_options::overwrite_existing);
    Execute(absl::StrFormat("UPDATE %s SET %s", table, damage));

    const absl::Status status = OpenError();

    EXPECT_EQ(ErrorReason(status), "NETWORK_STATE_DAMAGED") << damage;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrFormat("of %s means nothing", table))) << damage;
    std::filesystem::copy_file(directory_ + "/whole", path(), std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(SqliteApplyStoreTest, RowDamagedMeanwhileIsSaidWhenRead) {
  const auto store = Open();
  ApplyRecord record = PlainApply("a");
  ASSERT_TRUE(store->Add(record, {}, {}).ok());
  Execute("UPDATE applies SET source = 9");

  EXPECT_EQ(ErrorReason(store->Find("a").status()), "NETWORK_STATE_DAMAGED");
  EXPECT_EQ(ErrorReason(store->List(0, 1).status()), "NETWORK_STATE_DAMAGED");
}

TEST_F(SqliteApplyStoreTest, OnlyItsOwnerMayReadIt) {
  Open();

  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace pvebus::network
