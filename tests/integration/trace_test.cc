// Who caused what.
#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TraceTest : public JournalFixture {
 protected:
  TraceTest() { Start(); }
};

INSTANTIATE_TEST_SUITE_P(Journals, TraceTest, ::testing::Values(Journal::kMemory, Journal::kSqlite), NameOfJournal);

TEST_P(TraceTest, ATraceShowsWhoCausedWhatAndWhatEachListenerAndHookDid) {
  auto first = Listen("first");
  auto root = CustomEvent("root");
  (*root.mutable_custom()->mutable_data())["bulk"].set_string_value(std::string(1000, 'x'));
  const std::string root_id = bus().PublishDurable(root);
  const std::string child_id = bus().PublishDurable(ChildOf(root_id, ContainerStartedEvent(101)));
  const std::string other_id = bus().PublishDurable(ChildOf(root_id, CustomEvent("other")));
  const std::string leaf_id = bus().PublishDurable(ChildOf(child_id, CustomEvent("leaf")));
  bus().PublishDurable(CustomEvent("stranger"));
  bus::v1::ListenRequest answer;
  auto& settlement = *answer.mutable_settlements()->add_settlements();
  settlement.set_delivery_id(first->NextDelivery().delivery_id());
  auto& hook = *settlement.mutable_acknowledgement()->add_hook_results();
  hook.set_hook("bridge");
  hook.set_state(bus::v1::HOOK_STATE_CHANGED);
  hook.set_message("vmbr1 is up");
  first->Send(answer);
  bus().Result(root_id, bus::v1::WAIT_POLICY_SETTLED);

  const auto check = [&] {
    for (const std::string& any : {root_id, child_id, other_id, leaf_id}) {
      bus::v1::TraceEventRequest request;
      request.set_event_id(any);
      const auto tree = Call(&JournalStub::TraceEvent, bus().journal(), request);
      ASSERT_TRUE(tree.ok()) << tree.status();
      EXPECT_FALSE(tree->truncated());
      std::vector<std::pair<std::string, uint32_t>> shape;
      for (const auto& node : tree->nodes()) shape.emplace_back(node.event().event_id(), node.depth());
      EXPECT_THAT(shape,
                  ElementsAre(std::pair(root_id, 0u), std::pair(child_id, 1u), std::pair(leaf_id, 2u), std::pair(other_id, 1u)));
      EXPECT_THAT(tree->nodes(0).event().custom().data(), IsEmpty()) << "without its bulk";
      EXPECT_EQ(tree->nodes(1).event().container_started().id(), 101u);
      EXPECT_EQ(FromProto(tree->nodes(0).offset()).count(), 0);
      EXPECT_EQ(FromProto(tree->nodes(2).offset()),
                FromProto(tree->nodes(2).event().publish_time()) - FromProto(tree->nodes(0).event().publish_time()));
      const auto row = RowOf(tree->nodes(0).result(), "first");
      EXPECT_EQ(row.state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
      EXPECT_TRUE(row.has_latency());
      ASSERT_THAT(row.hook_results(), SizeIs(1));
      EXPECT_EQ(row.hook_results(0).message(), "vmbr1 is up");
    }
  };
  check();
  if (durable()) {
    first.reset();
    Restart();
    check();
  }
  bus::v1::TraceEventRequest nothing;
  EXPECT_THAT(Call(&JournalStub::TraceEvent, bus().journal(), nothing).status(),
              IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
  nothing.set_event_id("e9");
  EXPECT_THAT(Call(&JournalStub::TraceEvent, bus().journal(), nothing).status(),
              IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
}

TEST_P(TraceTest, AVeryWideTreeIsCutAndSaysSo) {
  const std::string root = bus().PublishDurable(CustomEvent("root"));
  PublishMany(1200, ChildOf(root, CustomEvent("child")));
  bus::v1::TraceEventRequest request;
  request.set_event_id(root);

  const auto tree = Call(&JournalStub::TraceEvent, bus().journal(), request, std::chrono::seconds(30));

  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_TRUE(tree->truncated());
  EXPECT_THAT(tree->nodes(), SizeIs(1000));
}

}  // namespace
}  // namespace pvebus::testing
