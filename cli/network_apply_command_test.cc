#include <sstream>

#include "cli/duration.h"
#include "cli/network_apply_output.h"
#include "cli/testing/network_fixture.h"
#include "sdk/base/error.h"

namespace pvebus::cli {
namespace {

using network::v1::Apply;
using network::v1::ApplyPendingChangesRequest;
using network::v1::ApplyPendingChangesResponse;
using network::v1::ListAppliesRequest;
using network::v1::ListAppliesResponse;
using network::v1::RevertApplyRequest;
using network::v1::RevertApplyResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr char kCommitted[] = R"(
  apply_id: "id1" state: APPLY_STATE_COMMITTED source: APPLY_SOURCE_PENDING request_id: "r1" reason: "vmbr0 onto the bond"
  requested_by: "ipv4:127.0.0.1:5" create_time { seconds: 1700000000 } end_time { seconds: 1700000003 } change_count: 2
  changes { change_type: CHANGE_TYPE_UPDATE target: "vmbr0" description: "vmbr0: ports eno1 -> bond0" }
  changes { change_type: CHANGE_TYPE_CREATE target: "bond0" description: "bond0: new bond" }
  warnings: "interfaces.new:7: twice"
  reload { exit_code: 0 duration { seconds: 1 nanos: 500000000 } output: "warning: \033[31m\n" })";
constexpr char kAllWell[] = R"(
  publications { kind: "network_applied" request_id: "network-applied/id1" state: PUBLICATION_STATE_PUBLISHED
    result { event_id: "e1" outcome: PUBLISH_OUTCOME_SUCCEEDED matched_count: 1 succeeded_count: 1 settled: true
      listener_results { listener: "firewall" state: DELIVERY_STATE_SUCCEEDED attempt: 1 } } })";
constexpr char kUndone[] = R"(
  apply_id: "id1" state: APPLY_STATE_FAILED source: APPLY_SOURCE_PENDING request_id: "r1" create_time { seconds: 1700000000 }
  reload { exit_code: 1 output: "error: vmbr0: no\n\033[31mmore\n" }
  error { code: 9 reason: "RELOAD_FAILED" message: "ifreload -a ended with 1" }
  publications { kind: "network_apply_failed" state: PUBLICATION_STATE_OWED })";

std::string InApply(const std::string& fields) { return "apply {" + fields + "}"; }
std::string InList(const std::string& fields) { return "applies {" + fields + "}"; }

class NetworkApplyCommandTest : public NetworkFixture {
 protected:
  void Answer(const std::string& fields) {
    service_.Answer("ApplyPendingChanges", FromText<ApplyPendingChangesResponse>(InApply(fields)));
    service_.Answer("RevertApply", FromText<RevertApplyResponse>(InApply(fields)));
  }
  void AnswerList(const std::string& fields) { service_.Answer("ListApplies", FromText<ListAppliesResponse>(InList(fields))); }
  ApplyPendingChangesRequest Asked() { return service_.Asked<ApplyPendingChangesRequest>("ApplyPendingChanges").back(); }
};

TEST_F(NetworkApplyCommandTest, EveryFlagIsSent) {
  Answer(kCommitted);

  const RunOutcome run = Network(
      {"apply", "--confirm", "1m30s", "--etag", "abc", "--reason", "vmbr0 onto the bond", "--request-id", "r1", "--dry-run"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(Asked().confirm_timeout().seconds(), 90);
  EXPECT_EQ(Asked().etag(), "abc");
  EXPECT_EQ(Asked().reason(), "vmbr0 onto the bond");
  EXPECT_EQ(Asked().request_id(), "r1");
  EXPECT_TRUE(Asked().validate_only());
}

TEST_F(NetworkApplyCommandTest, WithoutFlagsNothingIsDemandedAndTheRequestGetsAnId) {
  Answer(kCommitted);

  Network({"apply"});
  const ApplyPendingChangesRequest first = Asked();
  Network({"apply"});

  EXPECT_FALSE(first.has_confirm_timeout());
  EXPECT_EQ(first.etag(), "");
  EXPECT_FALSE(first.validate_only());
  EXPECT_THAT(first.request_id(), Not(IsEmpty()));
  EXPECT_NE(first.request_id(), Asked().request_id());
}

TEST_F(NetworkApplyCommandTest, ATimeToConfirmThatCannotBeIsWrongUsage) {
  for (const char* time : {"0s", "999ms", "24h1s", "25h", "60", "-1s", "soon"}) {
    const RunOutcome run = Network({"apply", "--confirm", time});

    EXPECT_EQ(run.exit_code, kUsageError) << time;
    EXPECT_THAT(run.err, HasSubstr("--confirm")) << time;
  }
  EXPECT_THAT(service_.Asked<ApplyPendingChangesRequest>("ApplyPendingChanges"), IsEmpty());
  Answer(kCommitted);
  for (const char* time : {"1s", "24h"}) EXPECT_EQ(Network({"apply", "--confirm", time}).exit_code, kAllSucceeded) << time;
}

TEST_F(NetworkApplyCommandTest, WhatIsInForceIsShownWithItsListeners) {
  Answer(std::string(kCommitted) + kAllWell);

  const RunOutcome run = Network({"apply"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_EQ(run.err, "");
  google::protobuf::Timestamp began;
  began.set_seconds(1'700'000'000);
  EXPECT_EQ(run.out,
            "apply            id1\n"
            "state            COMMITTED\n"
            "source           PENDING\n"
            "began            " +
                FormatTime(began) +
                "\n"
                "requested by     ipv4:127.0.0.1:5\n"
                "reason           vmbr0 onto the bond\n"
                "ifreload         exit 0, 1.5s\n"
                "warning          interfaces.new:7: twice\n"
                "\n"
                "CHANGE  INTERFACE  DESCRIPTION\n"
                "update  vmbr0      ports eno1 -> bond0\n"
                "create  bond0      new bond\n"
                "\n"
                "network_applied: SUCCEEDED: 1 of 1 listeners succeeded\n"
                "event e1\n"
                "\n"
                "LISTENER  STATE      ATTEMPT  LATENCY\n"
                "firewall  SUCCEEDED  1        -\n");
}

TEST_F(NetworkApplyCommandTest, ADryRunShowsWhatWouldChange) {
  Answer(R"(state: APPLY_STATE_DRY_RUN source: APPLY_SOURCE_PENDING change_count: 1
            changes { change_type: CHANGE_TYPE_DELETE target: "vmbr9" description: "vmbr9: bridge removed" })");

  const RunOutcome run = Network({"apply", "--dry-run"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, AllOf(StartsWith("state            DRY_RUN\n"), HasSubstr("delete  vmbr9      bridge removed\n")));
}

TEST_F(NetworkApplyCommandTest, WhatAwaitsConfirmationSaysUntilWhenAndHow) {
  Answer(R"(apply_id: "id1" state: APPLY_STATE_AWAITING_CONFIRMATION confirm_expire_time { seconds: 1700000060 })");

  const RunOutcome run = Network({"apply", "--confirm", "60s"});

  google::protobuf::Timestamp until;
  until.set_seconds(1'700'000'060);
  EXPECT_THAT(run.out, HasSubstr("AWAITING_CONFIRMATION: is undone at " + FormatTimeOfDay(until) +
                                 " unless confirmed: pvebus network confirm\n"));
}

TEST_F(NetworkApplyCommandTest, TheExitStatusSaysWhetherAllListenersSucceeded) {
  const std::pair<const char*, int> cases[] = {
      {"", kAllSucceeded},
      {R"(publications { kind: "a" state: PUBLICATION_STATE_PUBLISHED result { outcome: PUBLISH_OUTCOME_NO_LISTENERS } })",
       kAllSucceeded},
      {R"(publications { kind: "a" state: PUBLICATION_STATE_PUBLISHED result { outcome: PUBLISH_OUTCOME_PENDING } })",
       kListenerFailed},
      {R"(publications { kind: "a" state: PUBLICATION_STATE_PUBLISHED result { outcome: PUBLISH_OUTCOME_SUCCEEDED } }
          publications { kind: "b" state: PUBLICATION_STATE_PUBLISHED result { outcome: PUBLISH_OUTCOME_FAILED } })",
       kListenerFailed},
      {R"(publications { kind: "a" state: PUBLICATION_STATE_PUBLISHED })", kListenerFailed},
      {R"(publications { kind: "a" state: PUBLICATION_STATE_OWED })", kListenerFailed}};
  for (const auto& [publications, exit_code] : cases) {
    Answer(std::string(kCommitted) + publications);

    EXPECT_EQ(Network({"apply"}).exit_code, exit_code) << publications;
    EXPECT_EQ(Network({"apply", "--output", "json"}).exit_code, exit_code) << publications;
    EXPECT_EQ(Network({"revert"}).exit_code, exit_code) << publications;
  }
}

TEST_F(NetworkApplyCommandTest, ABusThatIsAwayIsSaid) {
  Answer(std::string(kCommitted) + R"(publications { kind: "network_applied" state: PUBLICATION_STATE_OWED })");

  EXPECT_THAT(Network({"apply"}).out, HasSubstr("\nnetwork_applied: OWED: the bus is away, and gets it when it is back\n"));
}

TEST_F(NetworkApplyCommandTest, ProgramsGetTheApply) {
  Answer(std::string(kCommitted) + kAllWell);

  const auto apply = FromJson<Apply>(Network({"apply", "--output", "json"}).out);

  EXPECT_EQ(apply.apply_id(), "id1");
  EXPECT_EQ(apply.changes_size(), 2);
  EXPECT_EQ(apply.publications(0).result().event_id(), "e1");
}

TEST_F(NetworkApplyCommandTest, RefusalsComeWithWhatToDo) {
  const std::pair<absl::Status, const char*> cases[] = {
      {MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_STAGED", "there is nothing"), "next: write the new"},
      {MakeError(absl::StatusCode::kFailedPrecondition, "STAGED_INVALID", "errors"), "next: `pvebus network pending`"},
      {MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH", "another", {{"etag", "abc"}}), "etag: abc"},
      {MakeError(absl::StatusCode::kAborted, "APPLY_IN_PROGRESS", "busy", {{"apply_id", "id7"}}), "apply_id: id7"},
      {MakeError(absl::StatusCode::kUnavailable, "RECOVERY_PENDING", "not yet"), "next: see what network-service logs"}};
  for (const auto& [error, next] : cases) {
    Refuse("ApplyPendingChanges", error);

    const RunOutcome run = Network({"apply"});

    EXPECT_EQ(run.exit_code, kRefused);
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, AllOf(StartsWith("pvebus: refused: "), HasSubstr(next)));
  }
}

TEST_F(NetworkApplyCommandTest, AnUndoneApplyIsShownWithTheOutputOfTheReload) {
  Refuse("ApplyPendingChanges",
         MakeError(absl::StatusCode::kFailedPrecondition, "RELOAD_FAILED", "it ended with 1", {{"apply_id", "id1"}}));
  AnswerList(kUndone);

  const RunOutcome run = Network({"apply", "--request-id", "r1"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, StartsWith("pvebus: refused: FAILED_PRECONDITION RELOAD_FAILED: it ended with 1\n"));
  EXPECT_THAT(run.err, HasSubstr("next: mend interfaces.new"));
  EXPECT_THAT(run.err, HasSubstr("\nerror            RELOAD_FAILED: ifreload -a ended with 1\n"));
  EXPECT_THAT(run.err, HasSubstr("\nifreload wrote:\n  error: vmbr0: no\n  \\x1b[31mmore\n"));
  EXPECT_EQ(service_.Asked<ListAppliesRequest>("ListApplies").back().apply_id(), "id1");
}

TEST_F(NetworkApplyCommandTest, ProgramsGetTheUndoneApplyBesideTheError) {
  Refuse("ApplyPendingChanges",
         MakeError(absl::StatusCode::kFailedPrecondition, "RELOAD_FAILED", "it ended with 1", {{"apply_id", "id1"}}));
  AnswerList(kUndone);

  const RunOutcome run = Network({"apply", "--request-id", "r1", "--output", "json"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(FromJson<Apply>(run.out).state(), network::v1::APPLY_STATE_FAILED);
  EXPECT_THAT(run.err, StartsWith("{\"error\":{\"code\":\"FAILED_PRECONDITION\",\"reason\":\"RELOAD_FAILED\""));
}

TEST_F(NetworkApplyCommandTest, AnotherApplyThatIsInTheWayIsNotShownAsThisOne) {
  AnswerList(kCommitted);
  for (const char* reason : {"CONFIRMATION_PENDING", "APPLY_SUPERSEDED", "APPLY_IN_PROGRESS", "APPLY_NOT_IN_FORCE"}) {
    Refuse("ApplyPendingChanges", MakeError(absl::StatusCode::kFailedPrecondition, reason, "apply id1", {{"apply_id", "id1"}}));

    const RunOutcome table = Network({"apply"});
    const RunOutcome json = Network({"apply", "--output", "json"});

    EXPECT_THAT(table.err, Not(HasSubstr("requested by"))) << reason;
    EXPECT_EQ(json.out, "") << reason;
  }
}

TEST_F(NetworkApplyCommandTest, AnUndoOfNobodyKnowsWhichShowsNoApply) {
  AnswerList(kUndone);
  Refuse("ApplyPendingChanges", MakeError(absl::StatusCode::kInternal, "UNDO_FAILED", "the last one", {{"apply_id", ""}}));

  const RunOutcome run = Network({"apply"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, Not(HasSubstr("ifreload wrote")));
}

TEST_F(NetworkApplyCommandTest, AnApplyThatTakesLongerThanIsWaitedForGoesOn) {
  service_.AnswerAndHold("ApplyPendingChanges", ApplyPendingChangesResponse());

  const RunOutcome run = Network({"apply", "--timeout", "200ms"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("no answer from network-service"), HasSubstr("`pvebus network history`")));
}

TEST_F(NetworkApplyCommandTest, ATerminalSaysWhatTheApplyIsDoing) {
  service_.AnswerAndHold("ApplyPendingChanges", ApplyPendingChangesResponse());
  AnswerList(R"(apply_id: "id1" state: APPLY_STATE_APPLYING step: APPLY_STEP_RELOADING)");
  std::vector<const char*> arguments = OfNetwork({"apply", "--request-id", "r1", "--timeout", "3500ms"});
  arguments.insert(arguments.begin(), "pvebus");
  std::ostringstream out, err;
  Console console{out, err, true};

  const int exit_code = RunPvebus(static_cast<int>(arguments.size()), arguments.data(), console);

  EXPECT_EQ(exit_code, kRefused);
  EXPECT_THAT(err.str(), HasSubstr("\r\x1b[Kifreload -a brings the network to it, 2 s"));
  EXPECT_EQ(service_.Asked<ListAppliesRequest>("ListApplies").back().request_id(), "r1");
}

TEST_F(NetworkApplyCommandTest, WithoutATerminalNobodyLooks) {
  Answer(kCommitted);

  Network({"apply"});

  EXPECT_THAT(service_.Asked<ListAppliesRequest>("ListApplies"), IsEmpty());
}

TEST_F(NetworkApplyCommandTest, EveryStepHasItsWords) {
  Apply apply;
  std::set<std::string> words;
  for (int step = network::v1::APPLY_STEP_LOCKING; step <= network::v1::ApplyStep_MAX; ++step) {
    apply.set_step(static_cast<network::v1::ApplyStep>(step));
    words.insert(StepInWords(apply));
  }

  EXPECT_THAT(words, SizeIs(network::v1::ApplyStep_MAX));
  EXPECT_THAT(words, Not(testing::Contains("")));
}

TEST_F(NetworkApplyCommandTest, RevertSendsEveryFlag) {
  Answer(R"(apply_id: "id2" state: APPLY_STATE_COMMITTED source: APPLY_SOURCE_REVERT reverts_apply_id: "id1")");

  const RunOutcome run = Network({"revert", "id1", "--reason", "storage is slow", "--request-id", "r2", "--dry-run"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("source           REVERT\n"), HasSubstr("reverts          id1\n")));
  const auto asked = service_.Asked<RevertApplyRequest>("RevertApply").back();
  EXPECT_EQ(asked.apply_id(), "id1");
  EXPECT_EQ(asked.reason(), "storage is slow");
  EXPECT_EQ(asked.request_id(), "r2");
  EXPECT_TRUE(asked.validate_only());
}

TEST_F(NetworkApplyCommandTest, RevertThatIsRefusedOrUndoneSaysWhy) {
  Refuse("RevertApply",
         MakeError(absl::StatusCode::kFailedPrecondition, "APPLY_SUPERSEDED", "it is another", {{"apply_id", "id1"}}));
  const RunOutcome refused = Network({"revert"});
  Refuse("RevertApply", MakeError(absl::StatusCode::kInternal, "UNDO_FAILED", "no way back", {{"apply_id", "id1"}}));
  AnswerList(kUndone);
  const RunOutcome undone = Network({"revert"});

  EXPECT_EQ(refused.exit_code, kRefused);
  EXPECT_THAT(refused.err, HasSubstr("next: `pvebus network history` shows what changed since"));
  EXPECT_EQ(undone.exit_code, kRefused);
  EXPECT_THAT(undone.err, AllOf(HasSubstr("next: see to the node's network by hand"), HasSubstr("ifreload wrote:\n")));
}

TEST_F(NetworkApplyCommandTest, AServiceThatIsAwayIsNamed) {
  const RunOutcome run = RunInTest({"network", "apply", "--network", "127.0.0.1:1", "--timeout", "2s"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("network-service at 127.0.0.1:1 is unreachable"), HasSubstr("--network or PVEBUS_NETWORK")));
}

}  // namespace
}  // namespace pvebus::cli
