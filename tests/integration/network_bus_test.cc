// What the bus is told when it is there, and when it is away.
#include "tests/integration/network_fixture.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class NetworkBusTest : public NetworkFixture {
 protected:
  // The bus where the service looks for it, after it was away.
  void BusComes() {
    bus_flags_ = {"--listen", absent_bus_};
    StartBus();
  }
  std::vector<std::string> AppliesTold() {
    std::vector<std::string> ids;
    for (const auto& event : Events()) ids.push_back(event.attributes().at("apply_id"));
    return ids;
  }
};

TEST_F(NetworkBusTest, WhatListenersDidIsInTheAnswerAndInTheHistory) {
  StartBoth();
  RawListener listener(bus_->address(), RegistrationOf("firewall"));
  listener.WaitRegistered();
  folder_.Write("interfaces.new", Interfaces(1));

  auto answer = ApplyLater();
  const auto delivery = listener.NextDelivery();
  EXPECT_EQ(folder_.InForce(), Interfaces(1)) << "what is told is so";
  listener.Ack(delivery.delivery_id());

  const auto apply = answer.get();
  ASSERT_TRUE(apply.ok()) << apply.status();
  ASSERT_THAT(apply->publications(), SizeIs(1));
  EXPECT_EQ(apply->publications(0).kind(), "network_applied");
  EXPECT_EQ(RowOf(apply->publications(0).result(), "firewall").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
  const Apply looked_at = Look(apply->apply_id());
  ASSERT_THAT(looked_at.publications(), SizeIs(1));
  EXPECT_EQ(looked_at.publications(0).result().event_id(), delivery.event().event_id());
  const event::v1::SystemEvent& event = delivery.event();
  EXPECT_EQ(event.attributes().at("apply_id"), apply->apply_id());
  EXPECT_EQ(event.attributes().at("apply_source"), "pending");
  ASSERT_THAT(event.network_applied().changes(), SizeIs(1));
  const auto& change = event.network_applied().changes(0);
  EXPECT_EQ(change.change_type(), event::v1::CHANGE_TYPE_UPDATE);
  EXPECT_EQ(change.target(), "test1");
  EXPECT_EQ(change.old_config().struct_value().fields().at("mtu").number_value(), 1000);
  EXPECT_EQ(change.new_config().struct_value().fields().at("mtu").number_value(), 1001);
  EXPECT_THAT(Kinds(), ElementsAre("network_applied"));
}

TEST_F(NetworkBusTest, CommentsAreAppliedAndToldToNobody) {
  StartBoth();
  folder_.Write("interfaces.new", "# other words\n" + Interfaces(0));

  const auto apply = ApplyStaged();

  ASSERT_TRUE(apply.ok()) << apply.status();
  EXPECT_EQ(apply->change_count(), 0u);
  EXPECT_THAT(apply->publications(), SizeIs(0));
  EXPECT_EQ(folder_.Read("interfaces"), "# other words\n" + Interfaces(0));
  bus_->ExpectAlive();
  EXPECT_THAT(Kinds(), ElementsAre("alive"));
}

TEST_F(NetworkBusTest, WithoutTheBusItIsAppliedAndToldInOrderOnceTheBusIsThere) {
  Start();
  folder_.Write("interfaces.new", Interfaces(1));
  const auto first = ApplyStaged();
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_THAT(first->publications(), SizeIs(1));
  EXPECT_EQ(first->publications(0).state(), network::v1::PUBLICATION_STATE_OWED);
  EXPECT_FALSE(first->publications(0).has_result());
  folder_.Write("interfaces.new", Interfaces(2));
  const auto second = ApplyStaged();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(folder_.InForce(), Interfaces(2));

  BusComes();
  WaitUntilQuiet();

  EXPECT_THAT(AppliesTold(), ElementsAre(first->apply_id(), second->apply_id()));
  const Apply looked_at = Look(first->apply_id());
  ASSERT_THAT(looked_at.publications(), SizeIs(1));
  EXPECT_EQ(looked_at.publications(0).state(), network::v1::PUBLICATION_STATE_PUBLISHED);
  EXPECT_EQ(looked_at.publications(0).result().event_id(), Events()[0].event_id());
}

TEST_F(NetworkBusTest, WhatIsOwedIsToldByTheNextProcessToo) {
  Start();
  folder_.Write("interfaces.new", Interfaces(1));
  // It would wait some seconds for the bus.
  (void)ApplyStaged({}, seconds(1));
  WaitForTurn();
  const std::string applied = Newest().apply_id();
  Kill();

  Start();
  BusComes();
  WaitUntilQuiet();

  EXPECT_THAT(AppliesTold(), ElementsAre(applied));
  Kill();
  service_ = std::make_unique<NetworkProcess>(folder_, absent_bus_, std::vector<std::string>(), AsRoot());
  WaitUntilQuiet();
  EXPECT_THAT(AppliesTold(), ElementsAre(applied)) << "twice is once";
}

TEST_F(NetworkBusTest, AnApplyWhileTheBusHangsIsToldOnce) {
  BusComes();
  Start();
  bus_->process().Signal(SIGSTOP);
  folder_.Write("interfaces.new", Interfaces(1));

  const auto apply = ApplyStaged();

  ASSERT_TRUE(apply.ok()) << apply.status();
  EXPECT_EQ(apply->publications(0).state(), network::v1::PUBLICATION_STATE_OWED);
  bus_->process().Signal(SIGCONT);
  WaitUntilQuiet();
  EXPECT_THAT(AppliesTold(), ElementsAre(apply->apply_id()));
}

}  // namespace
}  // namespace pvebus::testing
