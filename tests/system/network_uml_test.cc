// The network of a node, changed for real: network-service with Debian's ifupdown2. Runs inside User Mode Linux, as root of it.
#include <netinet/in.h>
#include <sys/socket.h>

#include <iostream>

#include "absl/strings/str_replace.h"
#include "sdk/posix/fd.h"
#include "tests/system/network_uml_fixture.h"

namespace pvebus::testing {
namespace {

using network::v1::Apply;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Of nas and backup the way to the server changes, of card it does not. That of backup is this node, as soon as it has the
// address.
constexpr char kStorages[] = R"(nfs: nas
	server 10.30.0.9
	export /nas

cifs: backup
	server 10.20.0.5
	share backup

nfs: card
	server 10.3.0.9
	export /card

dir: local
	path /var/lib/vz
)";

// At all addresses that this node has, and gets.
Fd ServeCifs() {
  Fd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in any{.sin_family = AF_INET, .sin_port = htons(445), .sin_addr = {}, .sin_zero = {}};
  EXPECT_EQ(bind(server.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
  EXPECT_EQ(listen(server.get(), SOMAXCONN), 0);
  return server;
}

bus::v1::HookResult HookRow(const bus::v1::PublishResult& result, const std::string& listener, const std::string& hook,
                            const std::string& resource) {
  for (const auto& row : HookRowsOf(RowOf(result, listener), hook)) {
    if (row.resource() == resource) return row;
  }
  ADD_FAILURE() << "there is no row of " << listener << ", " << hook << ", " << resource << "\n" << result.DebugString();
  return {};
}

// The hooks that storage-service, container-service and migration-service have for it, when the bridge went onto the bond.
void ExpectAllWereTold(const bus::v1::PublishResult& result, int transactions) {
  EXPECT_EQ(result.outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED) << result.DebugString();
  EXPECT_EQ(result.matched_count(), 3u);
  // The bridge lost or got what lets the tag through.
  const auto reconciled = HookRow(result, "storage-hooks", "storage-vlan-reconciler", "storage/nas");
  EXPECT_THAT(reconciled.after(), HasSubstr("10.30.0.5/24"));
  EXPECT_EQ(HookRow(result, "storage-hooks", "storage-status-refresher", "storage/card").state(), bus::v1::HOOK_STATE_SKIPPED);
  for (const char* touched : {"storage/nas", "storage/backup"}) {
    const auto row = HookRow(result, "storage-hooks", "storage-status-refresher", touched);
    EXPECT_THAT(row.message(), HasSubstr("checked")) << row.DebugString();
    EXPECT_TRUE(row.state() == bus::v1::HOOK_STATE_CHANGED || row.state() == bus::v1::HOOK_STATE_UNCHANGED) << row.DebugString();
  }
  const auto counted = HookRow(result, "migration-hooks", "applied-counter", "network");
  EXPECT_THAT(counted.message(), HasSubstr("network transaction " + std::to_string(transactions) + ", "));
  EXPECT_EQ(HookRow(result, "container-network-hooks", "network-event-logger", "network").message(), "logged");
}

// Must show: the whole story.
TEST_F(NetworkUmlTest, ABridgeThatMovesOntoABondIsToldToAllAndComesBackUnlessConfirmed) {
  const Fd server = ServeCifs();
  Start().AddStorageService(kStorages);
  node().AddContainerService();
  node().AddMigrationService();
  const auto vlan =
      node().Pvebus({"storage", "vlan", "create", "nas", "--base", "vmbr0", "--tag", "30", "--address", "10.30.0.5/24"});
  ASSERT_EQ(vlan.exit_code, 0) << vlan.error;
  node().Stage(kNewInterfaces);

  const auto applied = node().Pvebus({"network", "apply", "--confirm", "20s", "--reason", "vmbr0 onto the bond"});
  ASSERT_EQ(applied.exit_code, 0) << applied.out << applied.error;
  const Apply awaiting = node().LastApply();
  EXPECT_EQ(awaiting.state(), network::v1::APPLY_STATE_AWAITING_CONFIRMATION) << awaiting.DebugString();
  ExpectNewNetwork();
  EXPECT_EQ(node().Read("interfaces"), kNewInterfaces);
  EXPECT_EQ(node().Read("interfaces.new"), "(none)");
  const Apply reverted = node().AwaitApply(network::v1::APPLY_STATE_REVERTED);
  const auto history = node().Pvebus({"network", "history"});

  // What the operator saw.
  EXPECT_THAT(applied.out, AllOf(HasSubstr("AWAITING_CONFIRMATION: is undone at "), HasSubstr("vmbr0 onto the bond"),
                                 HasSubstr("network_applied: SUCCEEDED: 3 of 3 listeners succeeded"),
                                 HasSubstr("ports eno1 -> bond0, VLAN-aware on"), HasSubstr("new bond, slaves eno1 eno2")));
  EXPECT_THAT(applied.out, AllOf(HasSubstr("storage-vlan-reconciler"), HasSubstr("added tag 30 to bridge vmbr0"),
                                 HasSubstr("storage-status-refresher"), HasSubstr("its way (eno3) did not change"),
                                 HasSubstr("migration-hooks"), HasSubstr("container-network-hooks")));
  // What was published.
  EXPECT_THAT(Told(awaiting.changes()), ElementsAre("update vmbr0", "create bond0", "create vmbr0.20"));
  ASSERT_EQ(awaiting.publications_size(), 1);
  const bus::v1::PublishResult& told = awaiting.publications(0).result();
  ExpectAllWereTold(told, 1);
  EXPECT_EQ(HookRow(told, "storage-hooks", "storage-vlan-reconciler", "storage/nas").state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(HookRow(told, "storage-hooks", "storage-status-refresher", "storage/backup").state(), bus::v1::HOOK_STATE_CHANGED);
  // The old network, and that it is an event, too.
  ExpectOldNetwork();
  EXPECT_EQ(node().Read("interfaces"), kOldInterfaces);
  EXPECT_EQ(node().Read("interfaces.pvebus-reverted"), kNewInterfaces);
  EXPECT_EQ(reverted.apply_id(), awaiting.apply_id());
  EXPECT_EQ(reverted.error().reason(), "NOT_CONFIRMED");
  ASSERT_EQ(reverted.publications_size(), 2);
  EXPECT_EQ(reverted.publications(1).kind(), "network_reverted");
  ExpectAllWereTold(reverted.publications(1).result(), 2);
  const auto events = node().NetworkEvents();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].attributes().at("apply_source"), "pending");
  EXPECT_EQ(events[1].attributes().at("apply_source"), "undo");
  EXPECT_THAT(Told(events[1].network_applied().changes()), ElementsAre("delete bond0", "delete vmbr0.20", "update vmbr0"));
  EXPECT_THAT(Addresses("vmbr0.30"), HasSubstr("10.30.0.5/24"));
  EXPECT_THAT(history.out, AllOf(HasSubstr("REVERTED"), HasSubstr("NOT_CONFIRMED"), HasSubstr("network_reverted SUCCEEDED")));
  std::cout << applied.out << history.out;
}

TEST_F(NetworkUmlTest, AConfirmedApplyStaysAndIsRenumberedAndTakenBack) {
  Start().Stage(kNewInterfaces);
  EXPECT_EQ(node().ApplyStaged({"--confirm", "60s"}).state(), network::v1::APPLY_STATE_AWAITING_CONFIRMATION);
  EXPECT_EQ(node().Pvebus({"network", "apply"}).exit_code, 3) << "one awaits confirmation";
  EXPECT_EQ(node().Pvebus({"network", "confirm"}).exit_code, 0);
  ExpectNewNetwork();

  const std::string renumbered = absl::StrReplaceAll(
      kNewInterfaces, {{"bond0", "bond1"}, {"vmbr0.20", "vmbr0.21"}, {"10.20.0.5", "10.21.0.5"}, {"10.0.0.5", "10.0.0.6"}});
  node().Stage(renumbered);
  const Apply renumbering = node().ApplyStaged();

  EXPECT_EQ(renumbering.state(), network::v1::APPLY_STATE_COMMITTED);
  EXPECT_THAT(Told(renumbering.changes()),
              ElementsAre("delete bond0", "delete vmbr0.20", "update vmbr0", "create bond1", "create vmbr0.21"));
  for (const char* gone : {"bond0", "vmbr0.20"}) EXPECT_FALSE(LinkExists(gone)) << gone;
  for (const char* card : {"eno1", "eno2"}) EXPECT_THAT(Link(card), HasSubstr(R"("master":"bond1")"));
  EXPECT_THAT(Link("bond1"), HasSubstr(R"("master":"vmbr0")"));
  EXPECT_THAT(Link("vmbr0.21"), HasSubstr(R"("id":21)"));
  EXPECT_THAT(Addresses("vmbr0"), AllOf(HasSubstr("10.0.0.6/24"), Not(HasSubstr("10.0.0.5/24"))));
  EXPECT_THAT(Addresses("vmbr0.21"), HasSubstr("10.21.0.5/24"));

  const auto revert = node().Pvebus({"network", "revert", "--reason", "wrong number"});

  ASSERT_EQ(revert.exit_code, 0) << revert.out << revert.error;
  ExpectNewNetwork();
  for (const char* gone : {"bond1", "vmbr0.21"}) EXPECT_FALSE(LinkExists(gone)) << gone;
  EXPECT_EQ(node().Read("interfaces"), kNewInterfaces);
  const Apply reverted = node().LastApply();
  EXPECT_EQ(reverted.source(), network::v1::APPLY_SOURCE_REVERT);
  EXPECT_EQ(reverted.reverts_apply_id(), renumbering.apply_id());
  EXPECT_THAT(Told(reverted.changes()),
              ElementsAre("delete bond1", "delete vmbr0.21", "update vmbr0", "create bond0", "create vmbr0.20"));
  EXPECT_EQ(node().NetworkEvents().size(), 3u);
  EXPECT_TRUE(node().FailureEvents().empty());
}

// ifupdown2 gives the card what it shall have, and then the bond lets go of it, which takes it down.
TEST_F(NetworkUmlTest, ACardThatLeavesItsBondIsUpWithItsAddress) {
  Start().Stage(kNewInterfaces);
  node().ApplyStaged();
  node().Stage(absl::StrReplaceAll(
      kNewInterfaces,
      {{"bond-slaves eno1 eno2", "bond-slaves eno1"},
       {"iface eno2 inet manual", "auto eno2\niface eno2 inet static\n\taddress 10.2.0.5/24\n\taddress fd00:2::5/64"}}));

  const Apply applied = node().ApplyStaged({"--confirm", "60s"});

  EXPECT_EQ(applied.state(), network::v1::APPLY_STATE_AWAITING_CONFIRMATION) << applied.DebugString();
  EXPECT_THAT(Link("eno2"), AllOf(HasSubstr(R"("UP")"), Not(HasSubstr("master"))));
  EXPECT_THAT(Addresses("eno2"), AllOf(HasSubstr("10.2.0.5/24"), HasSubstr("fd00:2::5/64")));
  EXPECT_EQ(node().Pvebus({"network", "revert"}).exit_code, 0);
  ExpectNewNetwork();
}

TEST_F(NetworkUmlTest, WhatSdnWroteAndReloadedIsToldAsItsOwn) {
  Start().Write("interfaces.d/sdn",
                "auto vnet1\niface vnet1\n\tbridge_ports eno2\n\tbridge_stp off\n\tbridge_fd 0\n\tmtu 1450\n");
  ifupdown2().Reload();

  const Apply noticed = node().AwaitApply(network::v1::APPLY_STATE_COMMITTED);

  EXPECT_EQ(noticed.source(), network::v1::APPLY_SOURCE_SDN) << noticed.DebugString();
  EXPECT_THAT(Told(noticed.changes()), ElementsAre("create vnet1"));
  EXPECT_TRUE(LinkExists("vnet1"));
  const auto events = node().NetworkEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].attributes().at("apply_source"), "sdn");
}

}  // namespace
}  // namespace pvebus::testing
