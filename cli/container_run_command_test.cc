#include "cli/testing/container_fixture.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using container::v1::RunLifecycleHooksRequest;
using container::v1::RunLifecycleHooksResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Hooks that an operator runs.
class ContainerRunCommandTest : public ContainerFixture {
 protected:
  void Answer(const std::string& text) { service_.Answer("RunLifecycleHooks", FromText<RunLifecycleHooksResponse>(text)); }
  RunLifecycleHooksRequest Asked() { return service_.Asked<RunLifecycleHooksRequest>("RunLifecycleHooks").back(); }
};

TEST_F(ContainerRunCommandTest, RowsAreThoseOfAPublishWithAllThatProgramsWrote) {
  Answer(R"(event_id: "e1"
    hook_results { hook: "network" state: HOOK_STATE_CHANGED resource: "container/101" before: "down" after: "up"
                   duration { nanos: 3200000 } }
    hook_results { hook: "programs" state: HOOK_STATE_FAILED resource: "container/101" message: "1 of 2 failed"
                   duration { nanos: 12000000 } }
    hook_results { hook: "programs" state: HOOK_STATE_CHANGED resource: "10-dns" exit_code: 0 }
    hook_results { hook: "programs" state: HOOK_STATE_FAILED resource: "20-route" exit_code: 3
                   output: "adding route\nFile exists\n" })");

  const RunOutcome run = Container({"run", "101"});

  EXPECT_EQ(run.exit_code, kListenerFailed) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out,
            "event    e1\n"
            "\n"
            "HOOK        STATE    TOOK    DETAIL\n"
            "network     CHANGED  3.2ms   container/101 down -> up\n"
            "programs    FAILED   12.0ms  container/101: 1 of 2 failed\n"
            "  10-dns    CHANGED          exit 0\n"
            "  20-route  FAILED           exit 3\n"
            "      | adding route\n"
            "      | File exists\n");
  EXPECT_EQ(Asked().container_id(), 101u);
  EXPECT_EQ(Asked().event_type(), container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_STARTED);
  EXPECT_FALSE(Asked().dry_run());
}

TEST_F(ContainerRunCommandTest, OnlyAFailedHookIsAFailure) {
  const std::pair<const char*, int> cases[] = {{"HOOK_STATE_CHANGED", 0},
                                               {"HOOK_STATE_UNCHANGED", 0},
                                               {"HOOK_STATE_SKIPPED", 0},
                                               {"HOOK_STATE_DRY_RUN", 0},
                                               {"HOOK_STATE_FAILED", 1}};
  for (const auto& [state, exit_code] : cases) {
    Answer(std::string("hook_results { hook: \"h\" state: ") + state + "}");

    EXPECT_EQ(Container({"run", "101"}).exit_code, exit_code) << state;
    EXPECT_EQ(Container({"run", "101", "--output", "json"}).exit_code, exit_code) << state;
  }
}

TEST_F(ContainerRunCommandTest, ThatThereAreNoHooksIsSaid) {
  Answer(R"(event_id: "e1")");
  EXPECT_EQ(Container({"run", "101"}).out, "event    e1\n\nno hooks\n");
}

TEST_F(ContainerRunCommandTest, ProgramsGetAllOfIt) {
  Answer(R"(event_id: "e1" hook_results { hook: "h" state: HOOK_STATE_CHANGED exit_code: 0 output: "a\nb\n" })");

  const auto response = FromJson<RunLifecycleHooksResponse>(Container({"run", "101", "--output", "json"}).out);

  EXPECT_EQ(response.event_id(), "e1");
  ASSERT_EQ(response.hook_results_size(), 1);
  EXPECT_TRUE(response.hook_results(0).has_exit_code());
  EXPECT_EQ(response.hook_results(0).output(), "a\nb\n");
}

TEST_F(ContainerRunCommandTest, EveryEventHasItsWord) {
  const std::pair<const char*, container::v1::LifecycleEventType> cases[] = {
      {"started", container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_STARTED},
      {"stopped", container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_STOPPED},
      {"migrated", container::v1::LIFECYCLE_EVENT_TYPE_CONTAINER_MIGRATED},
      {"interface-added", container::v1::LIFECYCLE_EVENT_TYPE_INTERFACE_ADDED},
      {"interface-removed", container::v1::LIFECYCLE_EVENT_TYPE_INTERFACE_REMOVED},
      {"interface-updated", container::v1::LIFECYCLE_EVENT_TYPE_INTERFACE_UPDATED},
      {"vnet-bound", container::v1::LIFECYCLE_EVENT_TYPE_VNET_BOUND},
      {"vnet-unbound", container::v1::LIFECYCLE_EVENT_TYPE_VNET_UNBOUND}};
  Answer("");
  for (const auto& [word, type] : cases) {
    const bool about_interface = type <= container::v1::LIFECYCLE_EVENT_TYPE_VNET_UNBOUND;
    std::vector<const char*> arguments = {"run", "101", "--event", word, "--dry-run"};
    if (about_interface) arguments.insert(arguments.end(), {"--interface", "net0"});

    const RunOutcome run = Container(arguments);

    EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
    EXPECT_EQ(Asked().event_type(), type) << word;
    EXPECT_EQ(Asked().interface(), about_interface ? "net0" : "") << word;
    EXPECT_TRUE(Asked().dry_run());
  }
}

TEST_F(ContainerRunCommandTest, RefusalsComeWithWhatToDo) {
  const std::pair<absl::Status, const char*> cases[] = {
      {MakeError(absl::StatusCode::kInvalidArgument, "INTERFACE_INVALID", "it has no net9"),
       "next: `pvebus container network VMID`"},
      {MakeError(absl::StatusCode::kNotFound, "CONTAINER_NOT_FOUND", "there is no file"), "next: `pct list`"},
      {MakeError(absl::StatusCode::kResourceExhausted, "RUN_BACKPRESSURE", "4 are under way"), "next: others are being run"}};
  for (const auto& [error, next] : cases) {
    service_.Answer("RunLifecycleHooks", {}, ToGrpcStatus(error));

    const RunOutcome run = Container({"run", "101", "--event", "vnet-bound", "--interface", "net9"});

    EXPECT_EQ(run.exit_code, kRefused);
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, AllOf(HasSubstr("refused: "), HasSubstr(next)));
  }
}

TEST_F(ContainerRunCommandTest, WhatAProgramWroteIsHarmlessOnATerminal) {
  Answer(R"(event_id: "\033[1m" hook_results { hook: "h" message: "\033[31m" output: "a\n\033[41mred\302\2331m" })");

  const std::string out = Container({"run", "101"}).out;

  EXPECT_THAT(out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xc2\x9b"))));
}

}  // namespace
}  // namespace pvebus::cli
