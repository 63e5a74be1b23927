#include "cli/trace_output.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

bus::v1::TraceNode& AddNode(bus::v1::TraceEventResponse& trace, uint64_t sequence, const std::string& parent,
                            bus::v1::PublishOutcome outcome) {
  bus::v1::TraceNode& node = *trace.add_nodes();
  node.mutable_event()->set_event_id("e" + std::to_string(sequence));
  node.mutable_event()->set_sequence(sequence);
  node.mutable_event()->mutable_custom()->set_name("n" + std::to_string(sequence));
  if (!parent.empty()) node.mutable_event()->mutable_causation()->set_parent_event_id(parent);
  node.mutable_offset()->set_nanos(static_cast<int32_t>(sequence) * 1'000'000);
  node.mutable_result()->set_outcome(outcome);
  return node;
}

bus::v1::ListenerResult& AddRow(bus::v1::TraceNode& node, const std::string& listener, bus::v1::DeliveryState state) {
  bus::v1::ListenerResult& row = *node.mutable_result()->add_listener_results();
  row.set_listener(listener);
  row.set_state(state);
  row.set_attempt(1);
  row.mutable_latency()->set_nanos(2'500'000);
  return row;
}

std::string Printed(const bus::v1::TraceEventResponse& trace, const std::string& asked_id = "") {
  std::ostringstream out;
  PrintTrace(trace, asked_id, out);
  return out.str();
}

TEST(TraceOutputTest, ListenersHooksAndTheEventsItLedToStandBelowAnEvent) {
  bus::v1::TraceEventResponse trace;
  bus::v1::TraceNode& root = AddNode(trace, 1, "", bus::v1::PUBLISH_OUTCOME_PARTIAL);
  root.mutable_event()->set_source("pve1");
  bus::v1::HookResult& hook = *AddRow(root, "a", bus::v1::DELIVERY_STATE_SUCCEEDED).add_hook_results();
  hook.set_hook("logger");
  hook.set_state(bus::v1::HOOK_STATE_UNCHANGED);
  hook.set_message("logged");
  hook.set_exit_code(0);
  hook.set_output("one\ntwo\n");
  bus::v1::ListenerResult& bad = AddRow(root, "b", bus::v1::DELIVERY_STATE_DEAD_LETTERED);
  bad.set_attempt(3);
  bad.mutable_error()->set_code(14);
  bad.mutable_error()->set_reason("NFS_DOWN");
  AddRow(AddNode(trace, 2, "e1", bus::v1::PUBLISH_OUTCOME_SUCCEEDED), "a", bus::v1::DELIVERY_STATE_SUCCEEDED);
  AddNode(trace, 3, "e1", bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);
  AddNode(trace, 4, "e2", bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);

  EXPECT_THAT(Printed(trace, "e2"),
              HasSubstr("EVENT                     STATE          AFTER   TOOK   DETAIL\n"
                        "#1 custom event n1        PARTIAL                2.5ms  e1 from pve1\n"
                        "├─ a                      SUCCEEDED              2.5ms\n"
                        "│  └─ logger              UNCHANGED                     logged, exit 0: two\n"
                        "├─ b                      DEAD_LETTERED          2.5ms  attempt 3: UNAVAILABLE NFS_DOWN\n"
                        "├─ #2 custom event n2     SUCCEEDED      +2.0ms  2.5ms  e2 <- asked for\n"
                        "│  ├─ a                   SUCCEEDED              2.5ms\n"
                        "│  └─ #4 custom event n4  NO_LISTENERS   +4.0ms         e4\n"
                        "└─ #3 custom event n3     NO_LISTENERS   +3.0ms         e3\n"));
}

TEST(TraceOutputTest, WhatIsNotShownIsSaid) {
  bus::v1::TraceEventResponse trace;
  AddNode(trace, 5, "gone", bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_THAT(Printed(trace), AllOf(HasSubstr("caused by gone, which the journal no longer holds"), Not(HasSubstr("only"))));

  trace.set_truncated(true);
  EXPECT_THAT(Printed(trace), HasSubstr("the tree has more events: only the first 1 are shown"));
}

TEST(TraceOutputTest, EventsThatNameEachOtherInACircleAreAllShown) {
  bus::v1::TraceEventResponse trace;
  AddNode(trace, 1, "e2", bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  AddNode(trace, 2, "e1", bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  AddNode(trace, 3, "e3", bus::v1::PUBLISH_OUTCOME_SUCCEEDED);

  EXPECT_THAT(Printed(trace), AllOf(HasSubstr("\n#1 "), HasSubstr("\n└─ #2 "), HasSubstr("\n#3 ")));
  EXPECT_EQ(Printed(bus::v1::TraceEventResponse()), "");
}

TEST(TraceOutputTest, WhatALostEventCausedIsBelowTheNearestOneThatIsThere) {
  bus::v1::TraceEventResponse trace;
  AddNode(trace, 1, "", bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  AddNode(trace, 3, "e2", bus::v1::PUBLISH_OUTCOME_SUCCEEDED).set_depth(1);
  trace.add_lost_sequences(2);

  const std::string printed = Printed(trace);

  EXPECT_THAT(printed, AllOf(HasSubstr("event 2 of it is lost"), HasSubstr("\n└─ #3 ")));
}

}  // namespace
}  // namespace pvebus::cli
