// The phase, with the real service and the real bus: it changes when the event comes back, and never against the rules.
#include <sys/stat.h>

#include <filesystem>
#include <future>

#include "google/protobuf/util/message_differencer.h"
#include "tests/integration/migration_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using event::v1::MIGRATION_PHASE_PERL_ONLY;
using event::v1::MIGRATION_PHASE_RUST_BASIC_WRITE;
using event::v1::MIGRATION_PHASE_RUST_READ_ONLY;
using event::v1::MIGRATION_PHASE_RUST_SDN;
using google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using MigrationTest = MigrationFixture;

TEST_F(MigrationTest, SetShowsWhatEveryHookDid) {
  Start();

  const Ended set = Run({"set", "rust-read-only", "--reason", "first step"});

  EXPECT_EQ(set.exit_code, 0) << set.err;
  EXPECT_THAT(set.out, StartsWith("phase perl-only -> rust-read-only\n"));
  for (const char* hook : {"migration-event-logger", "phase-tracker", "applied-counter", "route-map-writer"}) {
    EXPECT_THAT(set.out, HasSubstr(hook));
  }
  const Ended status = Run({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.err;
  EXPECT_THAT(status.out, AllOf(HasSubstr("phase            rust-read-only\n"), HasSubstr("reason           first step\n")));
  EXPECT_THAT(Run({"history"}).out, AllOf(HasSubstr("perl-only"), HasSubstr("first step")));
}

TEST_F(MigrationTest, ReadsGoToTheNewImplementationAndBackAgain) {
  Start();
  const auto answers = [&](const char* method) {
    const Ended resolved = Run({"resolve", method, "/api2/json/nodes/node1/network"});
    return resolved.out.substr(0, resolved.out.find('\n'));
  };

  ASSERT_EQ(Run({"set", "rust-read-only"}).exit_code, 0);
  EXPECT_EQ(answers("GET"), "answers          rust");
  EXPECT_EQ(answers("PUT"), "answers          perl");
  ASSERT_EQ(Run({"set", "perl-only"}).exit_code, 0);
  EXPECT_EQ(answers("GET"), "answers          perl");
  EXPECT_EQ(Run({"set", "perl-only"}).out, "unchanged: this phase was in force already\n");
}

TEST_F(MigrationTest, JumpIsRefusedBeforeItIsPublished) {
  Start();

  const Ended set = Run({"set", "rust-full"});

  EXPECT_EQ(set.exit_code, 3);
  EXPECT_THAT(set.err, AllOf(HasSubstr("FAILED_PRECONDITION PHASE_JUMP"), HasSubstr("  next: go step by step")));
  EXPECT_EQ(bus_->GetListener(kMigrationHooks)->last_delivered_sequence(), 0u);
  EXPECT_EQ(Run({"set", "rust-full", "--force"}).exit_code, 3);
  EXPECT_EQ(Run({"set", "rust-full", "--force", "--reason", "a new node"}).exit_code, 0);
  EXPECT_TRUE(Now().last_change().forced());
}

TEST_F(MigrationTest, JumpThatSomebodyElsePublishesIsADeadLetterAndThePhaseStays) {
  Start();

  const auto response = bus_->Publish(PhaseEvent(MIGRATION_PHASE_RUST_SDN));

  ASSERT_TRUE(response.ok()) << response.status();
  const auto row = RowOf(response->result(), kMigrationHooks);
  EXPECT_EQ(row.state(), bus::v1::DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_EQ(row.attempt(), 1u) << "another attempt would not help";
  EXPECT_EQ(row.error().reason(), "PHASE_JUMP");
  EXPECT_EQ(Now().phase(), MIGRATION_PHASE_PERL_ONLY);
  EXPECT_THAT(History(), IsEmpty());
  EXPECT_EQ(bus_->GetListener(kMigrationHooks)->dead_letters(), 1u);
  EXPECT_EQ(bus_->Publish(PhaseEvent(MIGRATION_PHASE_RUST_READ_ONLY))->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

TEST_F(MigrationTest, OfTwoOperatorsAtOnceOneWins) {
  Start();
  migration::v1::SetPhaseRequest request;
  request.set_phase(MIGRATION_PHASE_RUST_READ_ONLY);
  request.set_etag(Now().etag());

  std::vector<std::future<absl::Status>> operators;
  for (int i = 0; i < 8; ++i) operators.push_back(std::async(std::launch::async, [&] { return Set(request).status(); }));
  int winners = 0;
  for (auto& one : operators) {
    const absl::Status status = one.get();
    if (status.ok()) {
      ++winners;
    } else {
      EXPECT_THAT(status, IsError(StatusCode::kAborted, "ETAG_MISMATCH"));
    }
  }

  EXPECT_EQ(winners, 1);
  EXPECT_THAT(History(), SizeIs(1));
}

TEST_F(MigrationTest, GateOfDeadLettersOpensWhenTheyAreGone) {
  Start({"--gate-transactions", "1", "--gate-listener", kMigrationHooks});
  EXPECT_THAT(Set(MIGRATION_PHASE_RUST_READ_ONLY).status(), IsError(StatusCode::kFailedPrecondition, "GATES_CLOSED"));
  ASSERT_TRUE(bus_->Publish(NetworkAppliedEvent("vmbr0")).ok());
  ASSERT_TRUE(bus_->Publish(PhaseEvent(MIGRATION_PHASE_RUST_SDN)).ok());

  const Ended closed = Run({"set", "rust-read-only"});
  EXPECT_EQ(closed.exit_code, 3);
  EXPECT_THAT(closed.err, AllOf(HasSubstr("dead-letters/migration-hooks: 1 dead letters"), HasSubstr("  next: ")));
  EXPECT_THAT(Run({"status"}).out, HasSubstr("dead-letters/migration-hooks  CLOSED  1 dead letters"));

  Process discard({ProgramPath("pvebus"), "dead-letters", "discard", "--all", "--reason", "seen", "--bus", bus_->address()});
  EXPECT_EQ(discard.WaitExit(kPatience), 0) << discard.StandardError();
  EXPECT_EQ(Run({"set", "rust-read-only"}).exit_code, 0);
}

TEST_F(MigrationTest, WhatIsKnownSurvivesAKillAndAReplayCountsNothingTwice) {
  Start();
  ASSERT_TRUE(bus_->Publish(NetworkAppliedEvent("vmbr0")).ok());
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok());
  ASSERT_TRUE(bus_->Publish(NetworkAppliedEvent("vmbr1")).ok());
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_BASIC_WRITE).ok());
  ASSERT_TRUE(bus_->Publish(NetworkAppliedEvent("vmbr2")).ok());
  const Status before = Now();
  EXPECT_EQ(before.applied_transaction_count(), 3u);
  EXPECT_EQ(before.phase_applied_transaction_count(), 1u);
  Restart();
  EXPECT_TRUE(MessageDifferencer::Equals(Now(), before)) << Now().DebugString();

  bus::v1::ReplayEventsRequest replay;
  replay.add_listeners(kMigrationHooks);
  replay.mutable_start_position()->set_earliest(true);
  const auto replayed = Call(&bus::v1::JournalService::Stub::ReplayEvents, bus_->journal(), replay, kPatience);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->delivery_count(), 5u);
  migration::v1::ListHookExecutionsRequest counted;
  counted.set_hook("applied-counter");
  counted.set_state(bus::v1::HOOK_STATE_UNCHANGED);
  WaitFor(
      "the transactions to have come again",
      [&] {
        const auto list = Call(&Stub::ListHookExecutions, *stub_, counted, kPatience);
        return list.ok() && list->executions_size() == 3;
      },
      kPatience);
  WaitUntilQuiet();

  EXPECT_TRUE(MessageDifferencer::Equals(Now(), before)) << Now().DebugString();
  EXPECT_THAT(History(), SizeIs(2));
}

TEST_F(MigrationTest, TooManyFailuresTakeThePhaseOneStepBack) {
  Start({"--step-back-share", "0.5", "--step-back-window", "10", "--step-back-least", "4"});
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok());
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_BASIC_WRITE).ok());

  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Report(migration::v1::CALL_RESULT_FAILED).ok());

  WaitFor(
      "the phase to go back", [&] { return Now().phase() == MIGRATION_PHASE_RUST_READ_ONLY; }, kPatience);
  const auto change = Now().last_change();
  EXPECT_TRUE(change.automatic());
  EXPECT_FALSE(change.forced());
  EXPECT_EQ(change.from_phase(), MIGRATION_PHASE_RUST_BASIC_WRITE);
  EXPECT_THAT(change.reason(), HasSubstr("4 of the last 4 calls of the new implementation failed"));
  EXPECT_EQ(Now().reported_count(), 0u) << "the next phase begins anew";
  EXPECT_THAT(Run({"history"}).out, HasSubstr("automatic"));
}

TEST_F(MigrationTest, StepBackThatTheBusDidNotHearOfIsPublishedByTheNextProcess) {
  const std::string address = bus_->address();
  const std::vector<std::string> bus_flags = {"--data-dir", In("bus"), "--listen", address};
  bus_.reset();
  bus_ = std::make_unique<BusProcess>(bus_flags);
  Start({"--step-back-share", "0.5", "--step-back-window", "10", "--step-back-least", "4"});
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok());
  bus_.reset();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Report(migration::v1::CALL_RESULT_TIMED_OUT).ok());
  Kill();
  bus_ = std::make_unique<BusProcess>(bus_flags);

  Start();

  WaitFor(
      "the phase to go back", [&] { return Now().phase() == MIGRATION_PHASE_PERL_ONLY; }, kPatience);
  EXPECT_THAT(History(), SizeIs(2));
}

TEST_F(MigrationTest, ReportsSurviveAStop) {
  Start();
  ASSERT_TRUE(Report(migration::v1::CALL_RESULT_FAILED).ok());
  ASSERT_TRUE(Report(migration::v1::CALL_RESULT_SUCCEEDED).ok());

  service_->Signal(SIGTERM);
  EXPECT_EQ(service_->WaitExit(kPatience), 0) << service_->StandardError();
  Start();

  EXPECT_EQ(Now().reported_count(), 2u);
  EXPECT_EQ(Now().failed_count(), 1u);
}

TEST_F(MigrationTest, WithoutTheBusThePhaseStaysAndTheRoutesAreAnswered) {
  Start();
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok());
  bus_->process().Signal(SIGKILL);
  ASSERT_TRUE(bus_->process().WaitExit(kPatience).has_value());

  const Ended set = Run({"set", "rust-basic-write"});

  EXPECT_EQ(set.exit_code, 3);
  EXPECT_THAT(set.err, AllOf(HasSubstr("refused: UNAVAILABLE BUS_UNAVAILABLE"), HasSubstr("  next: see to the bus")));
  EXPECT_EQ(Now().phase(), MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_THAT(Run({"resolve", "GET", "nodes/node1/network"}).out, StartsWith("answers          rust"));
}

TEST_F(MigrationTest, SecondServiceDoesNotGetTheName) {
  Start();
  std::vector<std::string> line = CommandLine({"--instance-id", "another"});
  for (std::string& argument : line) {
    if (argument == In("data")) argument = In("other-data");
  }

  Process second(line);

  EXPECT_EQ(second.WaitExit(kPatience), 1);
  EXPECT_THAT(second.StandardError(), HasSubstr("LISTENER_NAME_IN_USE"));
  EXPECT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok()) << "the first goes on";
}

TEST_F(MigrationTest, SecondServiceOnOneFolderDoesNotStart) {
  Start();

  Process second(CommandLine({"--instance-id", "another"}));

  EXPECT_EQ(second.WaitExit(kPatience), 1);
  EXPECT_THAT(second.StandardError(), HasSubstr(In("data")));
  EXPECT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok()) << "the first goes on";
}

TEST_F(MigrationTest, RouteMapFollowsThePhaseAndAFailureIsShown) {
  std::ofstream(In("nginx")) << "#!/bin/sh\n[ ! -e " << In("broken") << " ] || { echo 'no good' >&2; exit 1; }\n";
  chmod(In("nginx").c_str(), 0755);
  Start({"--route-map", In("pvebus.map"), "--route-map-reload", "--nginx", In("nginx")});
  EXPECT_THAT(Read("pvebus.map"), HasSubstr("for the phase perl-only."));
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok());
  const std::string good = Read("pvebus.map");
  EXPECT_THAT(good, HasSubstr("for the phase rust-read-only."));
  std::ofstream(In("broken")) << "";

  migration::v1::SetPhaseRequest request;
  request.set_phase(MIGRATION_PHASE_RUST_BASIC_WRITE);
  const auto set = Set(request);

  ASSERT_TRUE(set.ok()) << "the phase is in force: " << set.status();
  EXPECT_NE(set->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_EQ(Read("pvebus.map"), good);
  const Ended status = Run({"status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out,
              AllOf(HasSubstr("FAILED: nginx -t ended with 1: no good"), HasSubstr("phase            rust-basic-write")));
  std::filesystem::remove(In("broken"));
  WaitFor(
      "another attempt to write the map", [&] { return Now().route_map().state() == migration::v1::ROUTE_MAP_STATE_CURRENT; },
      std::chrono::seconds(60));
  EXPECT_THAT(Read("pvebus.map"), HasSubstr("for the phase rust-basic-write."));
}

TEST_F(MigrationTest, RouteMapIsPutRightAtTheStart) {
  Start({"--route-map", In("pvebus.map"), "--no-route-map-check"});
  ASSERT_TRUE(Set(MIGRATION_PHASE_RUST_READ_ONLY).ok());
  const std::string good = Read("pvebus.map");
  Kill();
  std::ofstream(In("pvebus.map")) << "# another\n";

  Start(flags_);

  EXPECT_EQ(Read("pvebus.map"), good);
  EXPECT_EQ(Now().route_map().state(), migration::v1::ROUTE_MAP_STATE_CURRENT);
}

}  // namespace
}  // namespace pvebus::testing
