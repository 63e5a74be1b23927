#include "container-service/rpc/hook_programs.h"

#include <map>
#include <nlohmann/json.hpp>

#include "container-service/core/testing/fake_node.h"
#include "container-service/rpc/lifecycle_event.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using bus::v1::HOOK_STATE_CHANGED;
using bus::v1::HOOK_STATE_DRY_RUN;
using bus::v1::HOOK_STATE_FAILED;
using bus::v1::HOOK_STATE_SKIPPED;
using bus::v1::HOOK_STATE_UNCHANGED;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using End = ProgramResult::End;

class FakePrograms final : public HookPrograms {
 public:
  absl::StatusOr<std::vector<HookProgramFile>> List(const std::string& directory) const override {
    if (!list_error.ok()) return list_error;
    const auto found = folders.find(directory);
    return found == folders.end() ? std::vector<HookProgramFile>() : found->second;
  }
  ProgramResult Run(const ProgramCall& call, const std::stop_token&) override {
    calls.push_back(call);
    const auto found = results.find(call.path);
    return found == results.end() ? ProgramResult{.end = End::kExited} : found->second;
  }
  void Add(const std::string& name, const std::string& refusal = "", const std::string& folder = "/hooks") {
    folders[folder].push_back({name, folder + "/" + name, refusal});
  }

  std::map<std::string, std::vector<HookProgramFile>> folders;
  std::map<std::string, ProgramResult> results;
  std::vector<ProgramCall> calls;
  absl::Status list_error;
};

class FakeParts final : public hooks::HookParts {
 public:
  std::optional<uint32_t> DoneIn(std::string_view part) const override {
    const auto found = done.find(std::string(part));
    return found == done.end() ? std::nullopt : std::optional(found->second);
  }
  void Record(const hooks::HookDetail& part) override { recorded.push_back(part); }

  std::map<std::string, uint32_t> done;
  std::vector<hooks::HookDetail> recorded;
};

class HookProgramsTest : public ::testing::Test {
 protected:
  HookProgramsTest() {
    node_.files[101] = "hostname: web\nnet0: name=eth0,bridge=vmbr0\n";
    node_.running = {101};
  }

  hooks::HookOutcome Run(const Lifecycle& what, bool dry_run = false) { return Run(EventOf(what), dry_run); }
  hooks::HookOutcome Run(event::v1::SystemEvent event, bool dry_run = false) {
    bus::v1::Delivery delivery;
    event.set_event_id("e1");
    event.set_sequence(sequence_);
    *delivery.mutable_event() = std::move(event);
    delivery.set_attempt(2);
    delivery.set_dry_run(dry_run);
    const HookProgramsOptions options{.directory = "/hooks", .bus = "127.0.0.1:7400", .node = "pve1"};
    return HookProgramsHook(programs_, node_, options).run_parts(client::EventContext(delivery, nullptr, {}), parts_, {});
  }

  const Lifecycle started_{.kind = LifecycleKind::kStarted, .container_id = 101};
  uint64_t sequence_ = 7;
  FakeNode node_;
  FakePrograms programs_;
  FakeParts parts_;
};

TEST_F(HookProgramsTest, ProgramsAreToldAsProxmoxVeAndLxcTellHooks) {
  programs_.Add("10-first");

  Run(started_);

  ASSERT_EQ(programs_.calls.size(), 1);
  const ProgramCall& call = programs_.calls[0];
  EXPECT_EQ(call.path, "/hooks/10-first");
  EXPECT_THAT(call.arguments, ElementsAre("101", "post-start"));
  for (const char* variable :
       {"PVEBUS_EVENT_ID=e1", "PVEBUS_EVENT_TYPE=ContainerStarted", "PVEBUS_CONTAINER_ID=101", "PVEBUS_PHASE=post-start",
        "PVEBUS_HOSTNAME=web", "PVEBUS_ATTEMPT=2", "PVEBUS_NODE=pve1", "PVEBUS_BUS=127.0.0.1:7400", "PVEBUS_PARENT=e1",
        "LXC_NAME=101", "LXC_HOOK_TYPE=start-host", "LXC_HOOK_SECTION=lxc", "LXC_HOOK_VERSION=1", "LANG=C.UTF-8"}) {
    EXPECT_THAT(call.environment, Contains(variable));
  }
  EXPECT_THAT(call.environment, Not(Contains(StartsWith("PVEBUS_INTERFACE="))));
  const auto json = nlohmann::json::parse(call.input);
  EXPECT_EQ(json.at("event_type"), "ContainerStarted");
  EXPECT_EQ(json.at("data").at("network").at("interfaces").at("net0").at("bridge"), "vmbr0");
}

TEST_F(HookProgramsTest, EachProgramIsARowOfItsOwnWithWhatItLeft) {
  for (const char* name : {"10-good", "20-bad", "30-slow", "40-killed", "50-broken", "60-good"}) programs_.Add(name);
  programs_.results = {
      {"/hooks/20-bad", {.end = End::kExited, .exit_code = 3, .output = "no route\n", .duration = std::chrono::seconds(1)}},
      {"/hooks/30-slow", {.end = End::kTimedOut, .exit_code = 143}},
      {"/hooks/40-killed", {.end = End::kSignalled, .exit_code = 137}},
      {"/hooks/50-broken", {.end = End::kNotStarted, .message = "was not started: Exec format error"}}};

  const hooks::HookOutcome outcome = Run(started_);

  ASSERT_EQ(parts_.recorded.size(), 6);
  EXPECT_EQ(parts_.recorded[0].state, HOOK_STATE_CHANGED);
  EXPECT_EQ(parts_.recorded[0].exit_code, 0);
  EXPECT_EQ(parts_.recorded[1].resource, "20-bad");
  EXPECT_EQ(parts_.recorded[1].state, HOOK_STATE_FAILED);
  EXPECT_EQ(parts_.recorded[1].exit_code, 3);
  EXPECT_EQ(parts_.recorded[1].output, "no route\n");
  EXPECT_EQ(parts_.recorded[1].duration, std::chrono::seconds(1));
  EXPECT_EQ(parts_.recorded[2].message, "ended after its time limit of 30 s, with all processes of its group");
  EXPECT_EQ(parts_.recorded[3].message, "ended by signal 9");
  EXPECT_EQ(parts_.recorded[4].message, "was not started: Exec format error");
  EXPECT_EQ(parts_.recorded[4].exit_code, std::nullopt);
  EXPECT_EQ(parts_.recorded[5].state, HOOK_STATE_CHANGED);
  EXPECT_EQ(outcome.state, HOOK_STATE_FAILED);
  EXPECT_THAT(outcome.message, StartsWith("6 programs run; failed: 20-bad: exit status 3; 30-slow: "));
}

TEST_F(HookProgramsTest, WhatSucceededForTheEventIsNotRunAgain) {
  programs_.Add("10-done");
  programs_.Add("20-again");
  parts_.done = {{"10-done", 1}};

  const hooks::HookOutcome outcome = Run(started_);

  ASSERT_EQ(programs_.calls.size(), 1);
  EXPECT_EQ(programs_.calls[0].path, "/hooks/20-again");
  ASSERT_EQ(outcome.details.size(), 1);
  EXPECT_EQ(outcome.details[0].message, "attempt 1 has done it");
  EXPECT_EQ(outcome.message, "1 program run, 1 done before");
}

TEST_F(HookProgramsTest, RefusedFilesAreToldAndFailNothing) {
  programs_.Add("10-open", "others may write it: chmod go-w");

  const hooks::HookOutcome outcome = Run(started_);

  EXPECT_THAT(programs_.calls, IsEmpty());
  EXPECT_EQ(outcome.state, HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.message, "0 programs run, 1 refused");
  ASSERT_EQ(outcome.details.size(), 1);
  EXPECT_EQ(outcome.details[0].state, HOOK_STATE_SKIPPED);
  EXPECT_EQ(outcome.details[0].message, "refused: others may write it: chmod go-w");
}

TEST_F(HookProgramsTest, ADryRunRunsNothingAndSaysWhatItWould) {
  programs_.Add("10-first");

  const hooks::HookOutcome outcome = Run(started_, /*dry_run=*/true);

  EXPECT_THAT(programs_.calls, IsEmpty());
  EXPECT_EQ(outcome.state, HOOK_STATE_DRY_RUN);
  ASSERT_EQ(outcome.details.size(), 1);
  EXPECT_EQ(outcome.details[0].message, "would be run: /hooks/10-first 101 post-start");
}

TEST_F(HookProgramsTest, ChangesOfTheNetworkHaveAFolderOfTheirOwnThatHookscriptsAreNotIn) {
  programs_.Add("10-start");
  programs_.Add("10-net", "", "/hooks/network-changed.d");

  Run({LifecycleKind::kInterfaceAdded, 101, "net1", "veth101i1", "", "vmbr0"});
  Run({.kind = LifecycleKind::kStopped, .container_id = 101});

  ASSERT_EQ(programs_.calls.size(), 2);
  EXPECT_EQ(programs_.calls[0].path, "/hooks/network-changed.d/10-net");
  EXPECT_THAT(programs_.calls[0].arguments, ElementsAre("101", "interface-added"));
  EXPECT_THAT(programs_.calls[0].environment, Contains("PVEBUS_INTERFACE=net1"));
  EXPECT_THAT(programs_.calls[0].environment, Contains("PVEBUS_AFTER=vmbr0"));
  EXPECT_EQ(programs_.calls[1].path, "/hooks/10-start");
  EXPECT_THAT(programs_.calls[1].arguments, ElementsAre("101", "post-stop"));
}

TEST_F(HookProgramsTest, ProgramsThatAnOperatorRunsAreGivenNoParentThatTheBusWouldRefuse) {
  programs_.Add("10-first");
  sequence_ = 0;

  Run(started_);

  EXPECT_THAT(programs_.calls[0].environment, Contains("PVEBUS_EVENT_ID=e1"));
  EXPECT_THAT(programs_.calls[0].environment, Not(Contains(StartsWith("PVEBUS_PARENT="))));
}

TEST_F(HookProgramsTest, AContainerWithoutAFileIsToldOfWithoutANetwork) {
  programs_.Add("10-first");

  Run({.kind = LifecycleKind::kStopped, .container_id = 102});

  ASSERT_EQ(programs_.calls.size(), 1);
  EXPECT_TRUE(nlohmann::json::parse(programs_.calls[0].input).at("data").at("network").is_null());
}

TEST_F(HookProgramsTest, AStartThatComesAgainForAContainerThatHasStoppedRunsNothing) {
  programs_.Add("10-first");
  node_.running.clear();

  EXPECT_EQ(Run(started_).message, "the container is not running any more");
  EXPECT_THAT(programs_.calls, IsEmpty());
  Run({.kind = LifecycleKind::kStopped, .container_id = 101});
  EXPECT_EQ(programs_.calls.size(), 1);
}

TEST_F(HookProgramsTest, NoProgramsAndADirectoryThatCannotBeReadAreSaid) {
  EXPECT_EQ(Run(started_).message, "there are no programs in /hooks");
  EXPECT_EQ(Run(started_).state, HOOK_STATE_SKIPPED);

  programs_.list_error = absl::FailedPreconditionError("cannot read /hooks");
  EXPECT_EQ(Run(started_).state, HOOK_STATE_FAILED);

  event::v1::SystemEvent other;
  other.mutable_network_applied();
  EXPECT_EQ(Run(other).message, "it is about no container");
}

}  // namespace
}  // namespace pvebus::container
