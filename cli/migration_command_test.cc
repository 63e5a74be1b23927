#include "cli/testing/migration_fixture.h"
#include "sdk/base/error.h"

namespace pvebus::cli {
namespace {

using migration::v1::GetMigrationStatusResponse;
using migration::v1::ListOutcomesResponse;
using migration::v1::ListPhaseHistoryRequest;
using migration::v1::ListPhaseHistoryResponse;
using migration::v1::ReportOutcomeRequest;
using migration::v1::ReportOutcomeResponse;
using migration::v1::ResolveEndpointRequest;
using migration::v1::ResolveEndpointResponse;
using migration::v1::SetPhaseRequest;
using migration::v1::SetPhaseResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr char kStatus[] = R"(
  phase: MIGRATION_PHASE_RUST_READ_ONLY etag: "1-rust-read-only"
  last_change { number: 1 change_time { seconds: 1700000000 } reason: "first \x1b[31mstep" requested_by: "ipv4:127.0.0.1:4711" }
  applied_transaction_count: 7 phase_applied_transaction_count: 3 reported_count: 200 failed_count: 3
  next_phase: MIGRATION_PHASE_RUST_BASIC_WRITE
  gates { gate: "transactions" state: GATE_STATE_CLOSED message: "3 of 10 network transactions in this phase" }
  gates { gate: "failure-share" state: GATE_STATE_OPEN message: "3 of 200" })";

constexpr char kChanged[] = R"(
  outcome: SET_PHASE_OUTCOME_CHANGED
  change { from_phase: MIGRATION_PHASE_PERL_ONLY to_phase: MIGRATION_PHASE_RUST_READ_ONLY }
  result { event_id: "e1" outcome: PUBLISH_OUTCOME_SUCCEEDED matched_count: 1 succeeded_count: 1
    listener_results { listener: "migration-hooks" state: DELIVERY_STATE_SUCCEEDED attempt: 1
      hook_results { hook: "phase-tracker" state: HOOK_STATE_CHANGED before: "perl-only" after: "rust-read-only" } } })";

class MigrationCommandTest : public MigrationFixture {
 protected:
  void AnswerStatus(const std::string& text) {
    service_.Answer("GetMigrationStatus", FromText<GetMigrationStatusResponse>(text));
  }
  void AnswerSet(const std::string& text) { service_.Answer("SetPhase", FromText<SetPhaseResponse>(text)); }
  SetPhaseRequest AskedToSet() { return service_.Asked<SetPhaseRequest>("SetPhase").at(0); }
};

TEST_F(MigrationCommandTest, StatusIsForEyes) {
  AnswerStatus(kStatus);

  const RunOutcome run = Migration({"status"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, HasSubstr("phase            rust-read-only\n"));
  EXPECT_THAT(run.out, HasSubstr("by               ipv4:127.0.0.1:4711\n"));
  EXPECT_THAT(run.out, HasSubstr("reason           first \\x1b[31mstep\n"));
  EXPECT_THAT(run.out, HasSubstr("transactions     3 in this phase, 7 in all\n"));
  EXPECT_THAT(run.out, HasSubstr("new calls        200 reported, 3 failed (1.5 %)\n"));
  EXPECT_THAT(run.out, HasSubstr("next             rust-basic-write\n"));
  EXPECT_THAT(run.out, HasSubstr("etag             1-rust-read-only\n"));
  EXPECT_THAT(run.out, HasSubstr("GATE           STATE   DETAIL\n"
                                 "transactions   CLOSED  3 of 10 network transactions in this phase\n"
                                 "failure-share  OPEN    3 of 200\n"));
  EXPECT_THAT(run.out, Not(HasSubstr("route map")));
}

TEST_F(MigrationCommandTest, StatusOfANewServiceSaysWhatThereIs) {
  AnswerStatus(R"(phase: MIGRATION_PHASE_PERL_ONLY etag: "0-perl-only" next_phase: MIGRATION_PHASE_RUST_READ_ONLY)");

  EXPECT_EQ(Migration({"status"}).out,
            "phase            perl-only\n"
            "transactions     0 in this phase, 0 in all\n"
            "new calls        none reported\n"
            "next             rust-read-only\n"
            "etag             0-perl-only\n");
}

TEST_F(MigrationCommandTest, RouteMapThatIsNotAsItShouldBeIsAFailure) {
  const std::string map = R"(phase: MIGRATION_PHASE_PERL_ONLY route_map { path: "/etc/nginx/pvebus.map" state: )";
  AnswerStatus(map + "ROUTE_MAP_STATE_CURRENT }");
  const RunOutcome current = Migration({"status"});
  AnswerStatus(map + R"(ROUTE_MAP_STATE_FAILED message: "nginx -t ended with 1" })");
  const RunOutcome failed = Migration({"status"});

  EXPECT_EQ(current.exit_code, kAllSucceeded);
  EXPECT_THAT(current.out, HasSubstr("route map        /etc/nginx/pvebus.map: current\n"));
  EXPECT_EQ(failed.exit_code, kListenerFailed);
  EXPECT_THAT(failed.out, HasSubstr("route map        /etc/nginx/pvebus.map: FAILED: nginx -t ended with 1\n"));
}

TEST_F(MigrationCommandTest, ProgramsGetTheStatus) {
  AnswerStatus(kStatus);

  const RunOutcome run = Migration({"status", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  const auto status = FromJson<GetMigrationStatusResponse>(run.out);
  EXPECT_EQ(status.SerializeAsString(), FromText<GetMigrationStatusResponse>(kStatus).SerializeAsString());
}

TEST_F(MigrationCommandTest, SetSaysTheChangeAndWhatEveryListenerDid) {
  AnswerSet(kChanged);

  const RunOutcome run = Migration({"set", "rust-read-only"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, StartsWith("phase perl-only -> rust-read-only\n"));
  EXPECT_THAT(run.out, AllOf(HasSubstr("migration-hooks"), HasSubstr("phase-tracker"), HasSubstr("perl-only -> rust-read-only")));
  EXPECT_EQ(AskedToSet().SerializeAsString(),
            FromText<SetPhaseRequest>("phase: MIGRATION_PHASE_RUST_READ_ONLY").SerializeAsString())
      << "what is not said is left to the service";
}

TEST_F(MigrationCommandTest, SetSendsAllThatWasSaid) {
  AnswerSet(kChanged);

  const RunOutcome run = Migration({"set", "rust-full", "--force", "--reason", "a new node", "--etag", "0-perl-only",
                                    "--request-id", "mine", "--dry-run", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(FromJson<SetPhaseResponse>(run.out).outcome(), migration::v1::SET_PHASE_OUTCOME_CHANGED);
  EXPECT_EQ(AskedToSet().SerializeAsString(), FromText<SetPhaseRequest>(R"(
    phase: MIGRATION_PHASE_RUST_FULL force: true reason: "a new node" etag: "0-perl-only" validate_only: true
    request_id: "mine")")
                                                  .SerializeAsString());
}

TEST_F(MigrationCommandTest, EveryPhaseHasAName) {
  AnswerSet("outcome: SET_PHASE_OUTCOME_UNCHANGED");
  for (const char* phase : {"perl-only", "rust-read-only", "rust-basic-write", "rust-advanced", "rust-sdn", "rust-full"}) {
    EXPECT_EQ(Migration({"set", phase}).exit_code, kAllSucceeded) << phase;
  }

  const auto asked = service_.Asked<SetPhaseRequest>("SetPhase");
  ASSERT_THAT(asked, SizeIs(6));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(asked[static_cast<size_t>(i)].phase(), i + 1);
}

TEST_F(MigrationCommandTest, SetThatChangesNothingSaysSo) {
  AnswerSet("outcome: SET_PHASE_OUTCOME_UNCHANGED");
  EXPECT_EQ(Migration({"set", "perl-only"}).out, "unchanged: this phase was in force already\n");

  AnswerSet(R"(outcome: SET_PHASE_OUTCOME_DRY_RUN gates { gate: "transactions" state: GATE_STATE_OPEN message: "3 of 3" })");
  EXPECT_EQ(Migration({"set", "rust-read-only", "--dry-run"}).out,
            "dry run: the phase could become this one\n"
            "\n"
            "GATE          STATE  DETAIL\n"
            "transactions  OPEN   3 of 3\n");
}

TEST_F(MigrationCommandTest, PhaseThatIsInForceWhileAListenerFailsIsNoFullSuccess) {
  AnswerSet(R"(outcome: SET_PHASE_OUTCOME_CHANGED result { event_id: "e1" outcome: PUBLISH_OUTCOME_PARTIAL })");

  EXPECT_EQ(Migration({"set", "rust-read-only"}).exit_code, kListenerFailed);
}

TEST_F(MigrationCommandTest, WrongUsageIsSaidBeforeAnybodyIsAsked) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"set"}, "PHASE"},
      {{"set", "rust-reed-only"}, "'rust-read-only'?"},
      {{"resolve", "GET"}, "PATH"},
      {{"history", "--count", "0"}, "--count"},
      {{"report", "GET"}, "METHOD requires "},
      {{"report", "GET", "nodes"}, "METHOD requires "},
      {{"report", "GET", "nodes", "--by", "rust"}, "--result"},
      {{"report", "--by", "rust", "--result", "failed"}, "METHOD"},
      {{"report", "--latency", "1s"}, "METHOD"},
      {{"report", "GET", "nodes", "--by", "ruby", "--result", "failed"}, "perl"},
      {{"report", "GET", "nodes", "--by", "rust", "--result", "bad"}, "timed-out"},
      {{}, "a command is missing"}};
  for (const auto& [arguments, said] : cases) {
    const RunOutcome run = Migration(arguments);

    EXPECT_EQ(run.exit_code, kUsageError) << said;
    EXPECT_THAT(run.err, HasSubstr(said));
  }
}

TEST_F(MigrationCommandTest, RefusalsComeWithWhatToDo) {
  using absl::StatusCode;
  const std::tuple<StatusCode, const char*, const char*> cases[] = {
      {StatusCode::kFailedPrecondition, "PHASE_JUMP", "go step by step"},
      {StatusCode::kFailedPrecondition, "GATES_CLOSED", "`pvebus migration status` shows what is missing"},
      {StatusCode::kInvalidArgument, "REASON_MISSING", "say why with --reason"},
      {StatusCode::kAborted, "PHASE_CHANGED", "`pvebus migration history` shows who"},
      {StatusCode::kUnknown, "PHASE_PENDING", "`pvebus result EVENT` shows where"},
      {StatusCode::kAborted, "ETAG_MISMATCH", "look again"},
      {StatusCode::kUnavailable, "BUS_UNAVAILABLE", "see to the bus"},
      {StatusCode::kInvalidArgument, "METHOD_INVALID", "methods look like"},
      {StatusCode::kInvalidArgument, "PATH_INVALID", "paths look like"}};
  for (const auto& [code, reason, next] : cases) {
    Refuse("SetPhase", MakeError(code, reason, "why", {{"gates", "transactions"}}));

    const RunOutcome run = Migration({"set", "rust-read-only"});

    EXPECT_EQ(run.exit_code, kRefused);
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, AllOf(StartsWith("pvebus: refused: "), HasSubstr(std::string(reason) + ": why\n"),
                               HasSubstr("  gates: transactions\n"), HasSubstr(std::string("  next: ") + next)))
        << reason;
  }
}

TEST_F(MigrationCommandTest, EveryCommandTellsARefusal) {
  const std::pair<const char*, std::vector<const char*>> cases[] = {
      {"GetMigrationStatus", {"status"}},
      {"ResolveEndpoint", {"resolve", "GET", "nodes"}},
      {"ListPhaseHistory", {"history"}},
      {"ListOutcomes", {"report"}},
      {"ReportOutcome", {"report", "GET", "nodes", "--by", "rust", "--result", "failed"}}};
  for (const auto& [method, arguments] : cases) {
    Refuse(method, MakeError(absl::StatusCode::kDataLoss, "MIGRATION_STATE_DAMAGED", "migration.db is damaged"));

    const RunOutcome run = Migration(arguments);

    EXPECT_EQ(run.exit_code, kRefused) << method;
    EXPECT_THAT(run.err, HasSubstr("MIGRATION_STATE_DAMAGED: migration.db is damaged")) << method;
  }
}

TEST_F(MigrationCommandTest, ServiceThatIsNotThereIsSaid) {
  const RunOutcome run = RunInTest({"migration", "status", "--migration", "127.0.0.1:1"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("migration-service at 127.0.0.1:1 is unreachable"), HasSubstr("--migration")));
}

TEST_F(MigrationCommandTest, ResolveShowsTheRoute) {
  constexpr char kRoute[] = R"(
    implementation: IMPLEMENTATION_RUST rule: "rust-read-only: reads" fallback: FALLBACK_POLICY_ALLOWED timeout { seconds: 30 }
    phase: MIGRATION_PHASE_RUST_READ_ONLY etag: "1-rust-read-only" path: "nodes/pve1/network")";
  service_.Answer("ResolveEndpoint", FromText<ResolveEndpointResponse>(kRoute));

  const RunOutcome run = Migration({"resolve", "GET", "/api2/json/nodes/pve1/network?x=1"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out,
            "answers          rust\n"
            "rule             rust-read-only: reads\n"
            "path             nodes/pve1/network\n"
            "fallback         allowed\n"
            "timeout          30.0s\n"
            "phase            rust-read-only\n");
  const auto asked = service_.Asked<ResolveEndpointRequest>("ResolveEndpoint").at(0);
  EXPECT_EQ(asked.method(), "GET");
  EXPECT_EQ(asked.path(), "/api2/json/nodes/pve1/network?x=1");
  const auto json = FromJson<ResolveEndpointResponse>(Migration({"resolve", "GET", "nodes", "--output", "json"}).out);
  EXPECT_EQ(json.SerializeAsString(), FromText<ResolveEndpointResponse>(kRoute).SerializeAsString());
}

TEST_F(MigrationCommandTest, HistoryIsATable) {
  service_.Answer("ListPhaseHistory", FromText<ListPhaseHistoryResponse>(R"(
    changes { number: 2 from_phase: MIGRATION_PHASE_RUST_FULL to_phase: MIGRATION_PHASE_RUST_SDN automatic: true
              requested_by: "migration-service" reason: "12 of 50" event_id: "e2" applied_transaction_count: 4 }
    changes { number: 1 from_phase: MIGRATION_PHASE_PERL_ONLY to_phase: MIGRATION_PHASE_RUST_FULL forced: true
              requested_by: "peer" reason: "a new node" event_id: "e1" })"));

  const RunOutcome run = Migration({"history"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(StartsWith("#  "), HasSubstr("rust-full  rust-sdn   automatic"),
                             HasSubstr("perl-only  rust-full  forced"), HasSubstr("12 of 50"), HasSubstr("e1\n")));
  EXPECT_EQ(service_.Asked<ListPhaseHistoryRequest>("ListPhaseHistory").at(0).page_size(), 20);
}

TEST_F(MigrationCommandTest, HistoryGoesOverPagesUntilThereAreEnough) {
  const auto page = [&](int from, int to, const char* token) {
    ListPhaseHistoryResponse response;
    for (int i = from; i >= to; --i) response.add_changes()->set_number(static_cast<uint64_t>(i));
    response.set_next_page_token(token);
    return response;
  };
  service_.Answer("ListPhaseHistory", page(9, 7, "7"));
  service_.AnswerThen("ListPhaseHistory", page(6, 4, "4"));

  const RunOutcome run = Migration({"history", "--count", "5", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  const auto shown = FromJson<ListPhaseHistoryResponse>(run.out);
  ASSERT_THAT(shown.changes(), SizeIs(5));
  EXPECT_EQ(shown.changes(4).number(), 5u);
  EXPECT_EQ(shown.next_page_token(), "");
  const auto asked = service_.Asked<ListPhaseHistoryRequest>("ListPhaseHistory");
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[1].page_token(), "7");
}

TEST_F(MigrationCommandTest, HistoryOfNothingSaysSo) {
  service_.Answer("ListPhaseHistory", ListPhaseHistoryResponse());

  EXPECT_EQ(Migration({"history"}).out, "the phase has never changed: it is perl-only\n");
}

TEST_F(MigrationCommandTest, ReportShowsWhatWasReported) {
  service_.Answer("ListOutcomes", FromText<ListOutcomesResponse>(R"(
    endpoints { method: "GET" path: "nodes/{}/network" implementation: IMPLEMENTATION_RUST reported_count: 50 failed_count: 12
                mean_latency { nanos: 20000000 } longest_latency { seconds: 3 } })"));
  EXPECT_EQ(Migration({"report"}).out,
            "METHOD  PATH              ANSWERED BY  CALLS  FAILED  MEAN    LONGEST\n"
            "GET     nodes/{}/network  rust         50     12      20.0ms  3.0s\n");

  service_.Answer("ListOutcomes", ListOutcomesResponse());
  EXPECT_EQ(Migration({"report"}).out, "nothing was reported since the phase changed\n");
}

TEST_F(MigrationCommandTest, ReportTellsHowACallEnded) {
  service_.Answer("ReportOutcome", FromText<ReportOutcomeResponse>("reported_count: 5 failed_count: 2"));

  const RunOutcome run =
      Migration({"report", "PUT", "nodes/pve1/network", "--by", "rust", "--result", "timed-out", "--latency", "1500ms"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out, "counted: 5 calls of the new implementation in this phase, 2 failed\n");
  EXPECT_EQ(service_.Asked<ReportOutcomeRequest>("ReportOutcome").at(0).SerializeAsString(), FromText<ReportOutcomeRequest>(R"(
    method: "PUT" path: "nodes/pve1/network" implementation: IMPLEMENTATION_RUST result: CALL_RESULT_TIMED_OUT
    latency { seconds: 1 nanos: 500000000 })")
                                                                                                 .SerializeAsString());
}

TEST_F(MigrationCommandTest, EveryResultHasAWord) {
  service_.Answer("ReportOutcome", ReportOutcomeResponse());
  for (const char* result : {"succeeded", "refused", "failed", "timed-out"}) {
    EXPECT_EQ(Migration({"report", "GET", "nodes", "--by", "perl", "--result", result}).exit_code, kAllSucceeded);
  }

  const auto asked = service_.Asked<ReportOutcomeRequest>("ReportOutcome");
  ASSERT_THAT(asked, SizeIs(4));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(asked[static_cast<size_t>(i)].result(), i + 1);
    EXPECT_EQ(asked[static_cast<size_t>(i)].implementation(), migration::v1::IMPLEMENTATION_PERL);
    EXPECT_FALSE(asked[static_cast<size_t>(i)].has_latency());
  }
}

TEST_F(MigrationCommandTest, HelpHasExamplesAndTheExitStatus) {
  for (const char* command : {"status", "set", "resolve", "history", "report"}) {
    const RunOutcome run = Migration({command, "--help"});

    EXPECT_EQ(run.exit_code, kAllSucceeded) << command;
    EXPECT_THAT(run.out, AllOf(HasSubstr(std::string("  pvebus migration ") + command), HasSubstr("Exit status: 0 "))) << command;
  }
}

}  // namespace
}  // namespace pvebus::cli
