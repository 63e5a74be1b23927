#include "storage-service/rpc/notice_outbox.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage-service/core/testing_memory_store.h"

namespace pvebus::storage {
namespace {

class NoticeOutboxTest : public testing::Test {
 protected:
  void Add(const Notice& notice) { EXPECT_TRUE(store_.PutToldStates({}, {notice}).ok()); }

  MemoryStorageStore store_;
  NoticeOutbox outbox_{store_};
};

TEST_F(NoticeOutboxTest, NoticesAreItsEntriesInTheirOrderUntilTheyAreRemoved) {
  Add({.kind = Notice::Kind::kVlanCreated, .storage_id = "nas", .parent_event_id = "e1"});
  Add({.kind = Notice::Kind::kVlanDeleted, .storage_id = "san\xff", .link = "eno1.20"});

  const auto entries = outbox_.Entries();

  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].label, "notice=storage_vlan_created storage=nas");
  EXPECT_EQ((*entries)[0].request_id, "request-1");
  EXPECT_EQ((*entries)[0].event.storage_vlan_created().id(), "nas");
  EXPECT_EQ((*entries)[0].event.causation().parent_event_id(), "e1");
  EXPECT_EQ((*entries)[1].label, "notice=storage_vlan_deleted storage=san?");
  EXPECT_TRUE(outbox_.Remove((*entries)[0].key).ok());
  ASSERT_EQ(outbox_.Entries()->size(), 1u);
  EXPECT_EQ(outbox_.Entries()->front().key, (*entries)[1].key);
  EXPECT_TRUE(outbox_.Remove((*entries)[1].key).ok());
  EXPECT_TRUE(outbox_.Entries()->empty());
}

TEST_F(NoticeOutboxTest, WhatTheStoreCannotDoIsSaid) {
  Add({.kind = Notice::Kind::kVlanCreated, .storage_id = "nas"});
  store_.FailWith(absl::UnavailableError("the disk is full"));

  EXPECT_EQ(outbox_.Remove(outbox_.Entries()->front().key).message(), "the disk is full");
  EXPECT_EQ(outbox_.Entries()->size(), 1u);
  EXPECT_EQ(outbox_.Remove("nas").code(), absl::StatusCode::kInvalidArgument);
}

TEST(EventOfTest, ChangeOfStateTellsBothAndWhy) {
  const event::v1::SystemEvent event = EventOf({.kind = Notice::Kind::kStatusChanged,
                                                .storage_id = "nas",
                                                .parent_event_id = "e1",
                                                .before = StorageState::kActive,
                                                .after = StorageState::kError,
                                                .reason = "10.0.0.9:2049 timed out \xff"});

  EXPECT_EQ(event.custom().name(), "storage_status_changed");
  EXPECT_EQ(event.ordering_key(), "storage/nas");
  EXPECT_EQ(event.subject(), "nas");
  EXPECT_EQ(event.causation().parent_event_id(), "e1");
  const auto& data = event.custom().data();
  EXPECT_EQ(data.at("storage_id").string_value(), "nas");
  EXPECT_EQ(data.at("before").string_value(), "active");
  EXPECT_EQ(data.at("after").string_value(), "error");
  EXPECT_EQ(data.at("reason").string_value(), "10.0.0.9:2049 timed out ?");
}

TEST(EventOfTest, RemovedVlanTellsItsLink) {
  const event::v1::SystemEvent event = EventOf({.kind = Notice::Kind::kVlanDeleted, .storage_id = "nas", .link = "eno1.20"});

  EXPECT_EQ(event.custom().name(), "storage_vlan_deleted");
  EXPECT_EQ(event.ordering_key(), "storage/nas");
  EXPECT_EQ(event.custom().data().at("link").string_value(), "eno1.20");
  EXPECT_EQ(event.custom().data_size(), 2);
  EXPECT_FALSE(event.has_causation());
}

}  // namespace
}  // namespace pvebus::storage
