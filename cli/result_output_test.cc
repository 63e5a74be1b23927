#include "cli/result_output.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

using testing::HasSubstr;

bus::v1::PublishResult ResultWith(bus::v1::PublishOutcome outcome) {
  bus::v1::PublishResult result;
  result.set_event_id("e1");
  result.set_sequence(7);
  result.set_outcome(outcome);
  return result;
}

TEST(ResultOutputTest, TheExitCodeFollowsTheOutcome) {
  EXPECT_EQ(ExitCodeOf(ResultWith(bus::v1::PUBLISH_OUTCOME_SUCCEEDED)), kAllSucceeded);
  EXPECT_EQ(ExitCodeOf(ResultWith(bus::v1::PUBLISH_OUTCOME_NO_LISTENERS)), kAllSucceeded);
  EXPECT_EQ(ExitCodeOf(ResultWith(bus::v1::PUBLISH_OUTCOME_PARTIAL)), kListenerFailed);
  EXPECT_EQ(ExitCodeOf(ResultWith(bus::v1::PUBLISH_OUTCOME_FAILED)), kListenerFailed);
  EXPECT_EQ(ExitCodeOf(ResultWith(bus::v1::PUBLISH_OUTCOME_PENDING)), kListenerFailed);
  EXPECT_EQ(ExitCodeOf(ResultWith(bus::v1::PUBLISH_OUTCOME_UNSPECIFIED)), kListenerFailed);
}

TEST(ResultOutputTest, WhoAskedOnlyForTheJournalIsNotDisappointedByPendingRows) {
  bus::v1::PublishResult pending = ResultWith(bus::v1::PUBLISH_OUTCOME_PENDING);
  bus::v1::PublishResult failed = pending;
  failed.set_failed_count(1);

  EXPECT_EQ(ExitCodeOfDurable(pending), kAllSucceeded);
  EXPECT_EQ(ExitCodeOfDurable(failed), kListenerFailed);
}

TEST(ResultOutputTest, EveryListenerIsARowWithItsHooksBelow) {
  bus::v1::PublishResult result = ResultWith(bus::v1::PUBLISH_OUTCOME_PARTIAL);
  result.set_matched_count(2);
  result.set_succeeded_count(1);
  result.set_failed_count(1);
  bus::v1::ListenerResult& good = *result.add_listener_results();
  good.set_listener("container-network-hooks");
  good.set_state(bus::v1::DELIVERY_STATE_SUCCEEDED);
  good.set_attempt(1);
  good.mutable_latency()->set_nanos(3'200'000);
  bus::v1::HookResult& hook = *good.add_hook_results();
  hook.set_hook("network-event-logger");
  hook.set_state(bus::v1::HOOK_STATE_UNCHANGED);
  hook.set_message("logged");
  bus::v1::ListenerResult& bad = *result.add_listener_results();
  bad.set_listener("storage-hooks");
  bad.set_state(bus::v1::DELIVERY_STATE_DEAD_LETTERED);
  bad.set_attempt(3);
  bad.set_required(true);
  bad.mutable_error()->set_code(14);
  bad.mutable_error()->set_reason("NFS_DOWN");
  bad.mutable_error()->set_message("the \x1b[31mNAS does not answer");

  std::ostringstream out;
  PrintResult(result, out);

  EXPECT_THAT(out.str(), HasSubstr("outcome  PARTIAL: 1 of 2 listeners succeeded, 1 failed\n"));
  EXPECT_THAT(out.str(), HasSubstr("\nLISTENER                  STATE          ATTEMPT  LATENCY  DETAIL\n"
                                   "container-network-hooks   SUCCEEDED      1        3.2ms\n"
                                   "  network-event-logger    UNCHANGED                        logged\n"
                                   "storage-hooks (required)  DEAD_LETTERED  3        -        "
                                   "UNAVAILABLE NFS_DOWN: the \\x1b[31mNAS does not answer\n"));
}

TEST(ResultOutputTest, NobodyIsSaidInWords) {
  std::ostringstream out;
  PrintResult(ResultWith(bus::v1::PUBLISH_OUTCOME_NO_LISTENERS), out);

  EXPECT_THAT(out.str(), HasSubstr("NO_LISTENERS: the event is stored; no listener wants it"));
}

TEST(ResultOutputTest, OfWhatAProgramWroteAPublishShowsTheLastLineUnlessTheWholeIsAskedFor) {
  bus::v1::PublishResult result = ResultWith(bus::v1::PUBLISH_OUTCOME_FAILED);
  bus::v1::HookResult& hook = *result.add_listener_results()->add_hook_results();
  hook.set_hook("programs");
  hook.set_exit_code(3);
  hook.set_output("adding route\nFile exists\n");

  std::ostringstream published, whole;
  PrintResult(result, published);
  PrintListenerResults(result, ProgramOutput::kWhole, whole);

  EXPECT_THAT(published.str(), HasSubstr("exit 3: File exists\n"));
  EXPECT_THAT(whole.str(), HasSubstr("exit 3\n      | adding route\n      | File exists\n"));
}

}  // namespace
}  // namespace pvebus::cli
