#include "storage-service/store/sqlite_storage_store.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

using testing::HasSubstr;

class SqliteStorageStoreTest : public testing::Test {
 protected:
  SqliteStorageStoreTest() {
    std::string pattern = testing::TempDir() + "storage_store_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SqliteStorageStoreTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<SqliteStorageStore> Open() {
    auto store = SqliteStorageStore::Open(directory_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::string OpenReason() { return ErrorReason(SqliteStorageStore::Open(directory_).status()); }
  std::string path() const { return directory_ + "/state/storage.db"; }
  void Execute(const char* sql) {
    std::filesystem::create_directories(directory_ + "/state");
    ASSERT_TRUE((*SqliteDatabase::Open(path()))->Execute(sql).ok());
  }

  std::string directory_;
};

StorageVlanRecord FullRecord() {
  StorageVlanRecord record;
  record.vlan = {.storage_id = "nas",
                 .base = "vmbr0",
                 .tag = 4094,
                 .address = *ParseIpPrefix("fd00::5/64"),
                 .mtu = 9000,
                 .gateway = ParseIpAddress("fd00::1"),
                 .routed_subnets = {*ParseIpPrefix("fd01::/64"), *ParseIpPrefix("fd02::/64")},
                 .isolated = true};
  record.phase = StorageVlanRecord::Phase::kRecreating;
  record.made = {.link = true, .bridge_vid = true, .address = true, .up = true, .routes = {*ParseIpPrefix("fd01::/64")}};
  record.create_time = SystemTime(std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(1));
  return record;
}

StorageVlanRecord PlainRecord() {
  return {.vlan = {.storage_id = "backup", .base = "eno1", .tag = 1, .address = *ParseIpPrefix("10.1.0.5/24")}};
}

Notice Changed() {
  return {.kind = Notice::Kind::kStatusChanged,
          .storage_id = "nas",
          .parent_event_id = "event-1",
          .time = SystemTime(std::chrono::seconds(1'700'000'000)),
          .link = "vmbr0.100",
          .before = StorageState::kActive,
          .after = StorageState::kDisabled,
          .reason = "it's \"over\""};
}

TEST_F(SqliteStorageStoreTest, KeepsVlansOverARestart) {
  ASSERT_TRUE(Open()->PutVlan(FullRecord(), {}).ok());
  ASSERT_TRUE(Open()->PutVlan(PlainRecord(), {}).ok());

  const auto store = Open();

  EXPECT_EQ(*store->Vlans(), (std::vector{PlainRecord(), FullRecord()}));
  StorageVlanRecord changed = FullRecord();
  changed.phase = StorageVlanRecord::Phase::kDeleting;
  changed.made = {};
  ASSERT_TRUE(store->PutVlan(changed, {}).ok());
  EXPECT_EQ(store->Vlans()->at(1), changed);
  ASSERT_TRUE(store->RemoveVlan("nas", {}).ok());
  EXPECT_EQ(*store->Vlans(), std::vector{PlainRecord()});
}

TEST_F(SqliteStorageStoreTest, EveryPhaseComesBack) {
  using Phase = StorageVlanRecord::Phase;
  const auto store = Open();
  for (const Phase phase : {Phase::kDefined, Phase::kCreating, Phase::kDeleting, Phase::kRecreating}) {
    StorageVlanRecord record = PlainRecord();
    record.phase = phase;
    ASSERT_TRUE(store->PutVlan(record, {}).ok());
    EXPECT_EQ(store->Vlans()->at(0).phase, phase);
  }
}

TEST_F(SqliteStorageStoreTest, KeepsNoticesInOrderEachWithItsRequestId) {
  Notice created{.kind = Notice::Kind::kVlanCreated, .storage_id = "nas"};
  Notice deleted{.kind = Notice::Kind::kVlanDeleted, .storage_id = "nas", .link = "vmbr0.100"};
  ASSERT_TRUE(Open()->PutVlan(FullRecord(), {created}).ok());
  ASSERT_TRUE(Open()->PutToldStates({{"nas", StorageState::kDisabled}}, {Changed()}).ok());
  ASSERT_TRUE(Open()->RemoveVlan("nas", {deleted}).ok());

  const auto store = Open();

  const auto notices = *store->Notices();
  ASSERT_EQ(notices.size(), 3u);
  EXPECT_EQ(notices[0].kind, Notice::Kind::kVlanCreated);
  EXPECT_EQ(notices[1].kind, Notice::Kind::kStatusChanged);
  EXPECT_EQ(notices[1].parent_event_id, "event-1");
  EXPECT_EQ(notices[1].time, Changed().time);
  EXPECT_EQ(notices[1].before, StorageState::kActive);
  EXPECT_EQ(notices[1].after, StorageState::kDisabled);
  EXPECT_EQ(notices[1].reason, "it's \"over\"");
  EXPECT_EQ(notices[2].link, "vmbr0.100");
  EXPECT_EQ(notices[0].request_id.size(), 32u);
  EXPECT_NE(notices[0].request_id, notices[1].request_id);
  EXPECT_EQ(store->Notices()->at(0).request_id, notices[0].request_id);
}

TEST_F(SqliteStorageStoreTest, NumberOfANoticeIsNotUsedAgain) {
  const auto store = Open();
  ASSERT_TRUE(store->PutToldStates({}, {Changed()}).ok());
  const int64_t first = store->Notices()->at(0).number;
  ASSERT_TRUE(store->RemoveNotice(first).ok());
  EXPECT_TRUE(store->Notices()->empty());

  ASSERT_TRUE(store->PutToldStates({}, {Changed()}).ok());

  EXPECT_GT(store->Notices()->at(0).number, first);
}

TEST_F(SqliteStorageStoreTest, KeepsWhatWasTold) {
  ASSERT_TRUE(Open()->PutToldStates({{"nas", StorageState::kActive}, {"backup", StorageState::kError}}, {}).ok());
  ASSERT_TRUE(Open()->PutToldStates({{"nas", StorageState::kInactive}}, {}).ok());

  const auto store = Open();

  using Told = std::pair<std::string, StorageState>;
  EXPECT_EQ(*store->ToldStates(), (std::vector<Told>{{"backup", StorageState::kError}, {"nas", StorageState::kInactive}}));
  ASSERT_TRUE(store->ForgetToldState("nas").ok());
  EXPECT_EQ(store->ToldStates()->size(), 1u);
}

TEST_F(SqliteStorageStoreTest, RecordAndNoticesAreKeptTogetherOrNotAtAll) {
  const auto store = Open();
  ASSERT_TRUE((*SqliteDatabase::Open(path()))
                  ->Execute("CREATE TRIGGER no BEFORE INSERT ON notices BEGIN SELECT RAISE(FAIL, 'no'); END")
                  .ok());

  const absl::Status put = store->PutVlan(FullRecord(), {Changed()});
  const absl::Status told = store->PutToldStates({{"nas", StorageState::kActive}}, {Changed()});

  EXPECT_EQ(ErrorReason(put), "STORAGE_STATE_UNUSABLE") << put;
  EXPECT_FALSE(told.ok());
  EXPECT_TRUE(store->Vlans()->empty());
  EXPECT_TRUE(store->ToldStates()->empty());
  EXPECT_TRUE(store->PutVlan(FullRecord(), {}).ok());
  EXPECT_FALSE(store->RemoveVlan("nas", {Changed()}).ok());
  EXPECT_EQ(store->Vlans()->size(), 1u);
}

TEST_F(SqliteStorageStoreTest, BelongsToOneProcess) {
  const auto store = Open();

  EXPECT_EQ(OpenReason(), "DATA_DIR_IN_USE");
}

TEST_F(SqliteStorageStoreTest, FileOfAnotherProgramIsRefused) {
  Execute("CREATE TABLE things (thing TEXT)");

  EXPECT_EQ(OpenReason(), "STORAGE_STATE_FOREIGN");
}

TEST_F(SqliteStorageStoreTest, NewerFileIsRefused) {
  Open();
  Execute("PRAGMA user_version = 99");

  const absl::Status status = SqliteStorageStore::Open(directory_).status();

  EXPECT_EQ(ErrorReason(status), "STORAGE_STATE_NEWER");
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 99"));
}

TEST_F(SqliteStorageStoreTest, DamagedFileIsNamedWithWhatToDo) {
  Open();
  std::filesystem::remove(path() + "-wal");
  std::ofstream(path(), std::ios::trunc) << std::string(8192, 'x');

  const absl::Status status = SqliteStorageStore::Open(directory_).status();

  EXPECT_EQ(ErrorReason(status), "STORAGE_STATE_DAMAGED") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("put a copy of " + path() + " back"));
}

TEST_F(SqliteStorageStoreTest, RowThatMeansNothingIsNamed) {
  for (const char* damage : {"tag = 0", "tag = 5000", "address = '10.1.0.5'", "gateway = 'x'", "routed_subnets = '10.0.0.0/8,,'",
                             "phase = 4", "phase = -1", "made_routes = 'x'", "mtu = -1"}) {
    ASSERT_TRUE(Open()->PutVlan(PlainRecord(), {}).ok());
    Execute((std::string("UPDATE vlans SET ") + damage).c_str());

    const absl::Status status = SqliteStorageStore::Open(directory_).status();

    EXPECT_EQ(ErrorReason(status), "STORAGE_STATE_DAMAGED") << damage;
    EXPECT_THAT(std::string(status.message()), HasSubstr("the row backup of vlans"));
    Execute("DELETE FROM vlans");
  }
}

}  // namespace
}  // namespace pvebus::storage
