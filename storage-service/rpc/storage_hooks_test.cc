#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "storage-service/core/storage_board.h"
#include "storage-service/core/storage_vlan_manager.h"
#include "storage-service/core/testing_fake_kernel.h"
#include "storage-service/core/testing_fake_probe.h"
#include "storage-service/core/testing_memory_store.h"
#include "storage-service/rpc/notice_outbox.h"
#include "storage-service/rpc/storage_status_refresher.h"
#include "storage-service/rpc/storage_vlan_reconciler.h"

namespace pvebus::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The hooks with all that they stand on; only kernel, servers and bus are played.
class StorageHooksTest : public testing::Test {
 protected:
  StorageHooksTest() {
    bus_.OnPublish([this](auto&, const bus::v1::PublishRequest& request, auto& response) {
      published_.Put(request.event());
      response.mutable_result()->set_event_id("child");
      return grpc::Status::OK;
    });
    kernel_.Add({.name = "eno1", .mtu = 1500, .up = true, .running = true});
    board_.SetConfig(ParseStorageConfig("nfs: nas\n\texport /a\n\tserver 10.0.0.9\n"));
    const auto announce = [this](const std::stop_token& stop) {
      return announcer_.PublishNow(std::chrono::steady_clock::now() + client::kPatience, stop);
    };
    EXPECT_TRUE(
        chain_
            .Add(StorageVlanReconciler(
                {.reconcile = [this](bool dry_run, const std::string& parent) { return vlans_.Reconcile({}, dry_run, parent); },
                 .announce = announce}))
            .ok());
    EXPECT_TRUE(
        chain_
            .Add(StorageStatusRefresher({.storages = [this] { return board_.List().storages; },
                                         .refresh = [this](const auto& ids, const auto& parent,
                                                           const auto& stop) { return board_.Refresh(ids, parent, stop); },
                                         .announce = announce,
                                         .probe_limit = std::chrono::seconds(5)}))
            .ok());
  }

  std::vector<bus::v1::HookResult> ApplyNetwork(const std::string& target) {
    bus::v1::Delivery delivery;
    delivery.mutable_event()->set_event_id("parent");
    delivery.mutable_event()->mutable_network_applied()->add_changes()->set_target(target);
    return chain_.Run(client::EventContext(delivery, nullptr, {}));
  }

  RealClock clock_;
  NullLogger logger_;
  client::Mailbox<event::v1::SystemEvent> published_;
  client::FakeBus bus_;
  client::Publisher publisher_{client::Connect(bus_.address()), "storage-service@pve1", clock_};
  MemoryStorageStore store_;
  FakeKernel kernel_;
  FakeProbe probe_;
  NoticeOutbox notices_{store_};
  client::Outbox announcer_{notices_, publisher_, logger_};
  StorageBoard board_{"pve1", probe_, store_, clock_, [this] { announcer_.Wake(); }};
  StorageVlanManager vlans_{kernel_, kernel_, store_, clock_, [this] { announcer_.Wake(); }};
  hooks::HookChain chain_{{}, clock_};
};

TEST_F(StorageHooksTest, AnAppliedNetworkPutsTheVlanBackAndItsEventsArePublishedBeforeTheHooksEnd) {
  const StorageVlan vlan{.storage_id = "nas", .base = "eno1", .tag = 20, .address = *ParseIpPrefix("10.0.0.5/24")};
  ASSERT_TRUE(vlans_.Create(vlan, false).ok());
  ASSERT_TRUE(board_.Refresh({}, {}, {}).stored.ok());
  ASSERT_EQ(published_.Take()->storage_vlan_created().id(), "nas");
  kernel_.Delete("eno1.20");
  probe_.Set("nas", Reachability::kTimedOut);

  const std::vector<bus::v1::HookResult> rows = ApplyNetwork("eno1");

  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(rows[0].message(), "1 VLAN: 1 changed; StorageVlanCreated was published for nas");
  EXPECT_EQ(rows[1].resource(), "storage/nas");
  EXPECT_EQ(rows[1].before(), "missing");
  EXPECT_EQ(rows[2].message(), "1 network storage: 1 checked (1 changed)");
  EXPECT_THAT(rows[3].before(), HasSubstr("active"));
  EXPECT_THAT(rows[3].after(), HasSubstr("error"));
  ASSERT_FALSE(published_.empty());
  const event::v1::SystemEvent created = *published_.Take();
  EXPECT_EQ(created.storage_vlan_created().id(), "nas");
  EXPECT_EQ(created.causation().parent_event_id(), "parent");
  ASSERT_FALSE(published_.empty());
  const event::v1::SystemEvent changed = *published_.Take();
  EXPECT_EQ(changed.custom().name(), "storage_status_changed");
  EXPECT_EQ(changed.causation().parent_event_id(), "parent");
  EXPECT_TRUE(published_.empty());
}

TEST_F(StorageHooksTest, AnAppliedNetworkThatChangesNothingPublishesNothing) {
  const StorageVlan vlan{.storage_id = "nas", .base = "eno1", .tag = 20, .address = *ParseIpPrefix("10.0.0.5/24")};
  ASSERT_TRUE(vlans_.Create(vlan, false).ok());
  ASSERT_TRUE(board_.Refresh({}, {}, {}).stored.ok());
  ASSERT_EQ(published_.Take()->storage_vlan_created().id(), "nas");

  const std::vector<bus::v1::HookResult> rows = ApplyNetwork("eno1");

  std::vector<bus::v1::HookState> states;
  for (const bus::v1::HookResult& row : rows) states.push_back(row.state());
  EXPECT_THAT(states, ElementsAre(bus::v1::HOOK_STATE_UNCHANGED, bus::v1::HOOK_STATE_UNCHANGED, bus::v1::HOOK_STATE_UNCHANGED,
                                  bus::v1::HOOK_STATE_UNCHANGED));
  EXPECT_TRUE(published_.empty());
}

}  // namespace
}  // namespace pvebus::storage
