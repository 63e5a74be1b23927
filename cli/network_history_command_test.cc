#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/testing/network_fixture.h"
#include "sdk/base/error.h"

namespace pvebus::cli {
namespace {

using network::v1::Apply;
using network::v1::ConfirmApplyRequest;
using network::v1::ConfirmApplyResponse;
using network::v1::GetPendingChangesResponse;
using network::v1::ListAppliesRequest;
using network::v1::ListAppliesResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Began() {
  google::protobuf::Timestamp time;
  time.set_seconds(1'700'000'000);
  return FormatTime(time);
}

// `pending`, `confirm` and `history`: what is answered at once.
class NetworkHistoryCommandTest : public NetworkFixture {
 protected:
  void Pending(const std::string& text) { service_.Answer("GetPendingChanges", FromText<GetPendingChangesResponse>(text)); }
  static ListAppliesResponse Page(int first, int count, const std::string& next_page_token) {
    ListAppliesResponse page;
    for (int i = 0; i < count; ++i) page.add_applies()->set_apply_id(absl::StrFormat("id%d", first + i));
    page.set_next_page_token(next_page_token);
    return page;
  }
  ListAppliesRequest Asked() { return service_.Asked<ListAppliesRequest>("ListApplies").back(); }
};

TEST_F(NetworkHistoryCommandTest, NothingStagedIsSaid) {
  Pending("state: PENDING_STATE_NONE");

  const RunOutcome run = Network({"pending"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_EQ(run.out, "nothing is staged: there is no interfaces.new\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(NetworkHistoryCommandTest, WhatIsStagedIsShownWithItsLinesAndHowToApplyIt) {
  Pending(R"(state: PENDING_STATE_READY etag: "abc"
    changes { change_type: CHANGE_TYPE_UPDATE target: "vmbr0" description: "vmbr0: mtu 1500 -> 9000" }
    diagnostics { severity: SEVERITY_WARNING file: "/etc/network/interfaces.new" line: 7 message: "twice" }
    unified_diff: "--- interfaces\n+++ interfaces.new\n+\tmtu 9000\n+\tup \033[31mred")");

  const RunOutcome run = Network({"pending"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_EQ(run.out,
            "CHANGE  INTERFACE  DESCRIPTION\n"
            "update  vmbr0      mtu 1500 -> 9000\n"
            "\n"
            "--- interfaces\n"
            "+++ interfaces.new\n"
            "+ mtu 9000\n"
            "+ up \\x1b[31mred\n"
            "\n"
            "etag abc: pvebus network apply --etag abc --confirm 60s\n");
  EXPECT_EQ(run.err, "/etc/network/interfaces.new:7: warning: twice\n");
}

TEST_F(NetworkHistoryCommandTest, WhatIsStagedAndMeansTheSameChangesNothing) {
  Pending(R"(state: PENDING_STATE_READY etag: "abc")");

  EXPECT_THAT(Network({"pending"}).out, StartsWith("no changes\n"));
}

TEST_F(NetworkHistoryCommandTest, WhatIsStagedWithErrorsCannotBeApplied) {
  Pending(R"(state: PENDING_STATE_REFUSED etag: "abc" unified_diff: "+iface eno1\n"
    diagnostics { severity: SEVERITY_ERROR file: "/etc/network/interfaces.new" message: "no \033[31m file" })");

  const RunOutcome run = Network({"pending"});

  EXPECT_EQ(run.exit_code, kListenerFailed);
  EXPECT_EQ(run.out, "\n+iface eno1\n");
  EXPECT_EQ(run.err,
            "/etc/network/interfaces.new: error: no \\x1b[31m file\n"
            "pvebus: what is staged cannot be applied; mend interfaces.new\n");
}

TEST_F(NetworkHistoryCommandTest, ProgramsGetAllThatIsPending) {
  Pending(R"(state: PENDING_STATE_REFUSED etag: "abc"
    diagnostics { severity: SEVERITY_ERROR file: "f" line: 1 message: "m" })");

  const RunOutcome run = Network({"pending", "--output", "json"});

  EXPECT_EQ(run.exit_code, kListenerFailed);
  EXPECT_EQ(FromJson<GetPendingChangesResponse>(run.out).diagnostics(0).message(), "m");
  EXPECT_THAT(run.err, Not(HasSubstr("f:1")));
}

TEST_F(NetworkHistoryCommandTest, PendingThatIsRefusedSaysWhy) {
  Refuse("GetPendingChanges", MakeError(absl::StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE", "cannot read it"));

  const RunOutcome run = Network({"pending"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, StartsWith("pvebus: refused: FAILED_PRECONDITION CONFIGURATION_UNREADABLE: cannot read it"));
}

TEST_F(NetworkHistoryCommandTest, ConfirmKeepsWhatWasApplied) {
  service_.Answer("ConfirmApply", FromText<ConfirmApplyResponse>(R"(apply { apply_id: "id1" state: APPLY_STATE_COMMITTED })"));

  const RunOutcome whichever = Network({"confirm"});
  const RunOutcome one = Network({"confirm", "id1", "--dry-run"});
  const RunOutcome json = Network({"confirm", "--output", "json"});

  EXPECT_EQ(whichever.exit_code, kAllSucceeded) << whichever.err;
  EXPECT_THAT(whichever.out, HasSubstr("state            COMMITTED\n"));
  EXPECT_EQ(one.exit_code, kAllSucceeded);
  EXPECT_EQ(FromJson<Apply>(json.out).apply_id(), "id1");
  const auto asked = service_.Asked<ConfirmApplyRequest>("ConfirmApply");
  EXPECT_EQ(asked[0].apply_id(), "");
  EXPECT_FALSE(asked[0].validate_only());
  EXPECT_EQ(asked[1].apply_id(), "id1");
  EXPECT_TRUE(asked[1].validate_only());
}

TEST_F(NetworkHistoryCommandTest, ConfirmThatComesTooLateSaysWhatBecameOfIt) {
  const std::pair<absl::Status, const char*> cases[] = {
      {MakeError(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_CONFIRM", "none"), "next: `pvebus network history`"},
      {MakeError(absl::StatusCode::kFailedPrecondition, "APPLY_NOT_IN_FORCE", "it is REVERTED"),
       "next: `pvebus network history`"},
      {MakeError(absl::StatusCode::kNotFound, "APPLY_NOT_FOUND", "none"), "next: `pvebus network history`"}};
  for (const auto& [error, next] : cases) {
    Refuse("ConfirmApply", error);

    const RunOutcome run = Network({"confirm"});

    EXPECT_EQ(run.exit_code, kRefused);
    EXPECT_THAT(run.err, HasSubstr(next));
  }
}

TEST_F(NetworkHistoryCommandTest, WithoutAnAppliesThatIsSaid) {
  service_.Answer("ListApplies", ListAppliesResponse());

  const RunOutcome run = Network({"history"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_EQ(run.out, "nothing was applied yet\n");
  EXPECT_EQ(Asked().page_size(), 20);
}

TEST_F(NetworkHistoryCommandTest, EveryApplyHasARow) {
  service_.Answer("ListApplies", FromText<ListAppliesResponse>(R"(
    applies { apply_id: "id2" state: APPLY_STATE_FAILED source: APPLY_SOURCE_PENDING create_time { seconds: 1700000000 }
      change_count: 2 reason: "not shown" reload { exit_code: 1 duration { nanos: 500000000 } }
      error { reason: "RELOAD_FAILED" message: "error\n\033[31m" }
      publications { kind: "network_apply_failed" state: PUBLICATION_STATE_OWED } }
    applies { apply_id: "id1" state: APPLY_STATE_REVERTED source: APPLY_SOURCE_SDN create_time { seconds: 1700000000 }
      change_count: 1 reason: "written" reload { timed_out: true exit_code: 137 duration { seconds: 300 } }
      publications { kind: "network_applied" state: PUBLICATION_STATE_PUBLISHED result { outcome: PUBLISH_OUTCOME_PARTIAL } }
      publications { kind: "network_reverted" state: PUBLICATION_STATE_PUBLISHED } })"));

  const RunOutcome run = Network({"history"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, StartsWith("APPLY  BEGAN "));
  EXPECT_THAT(run.out,
              HasSubstr("\nid2    " + Began() +
                        "  PENDING  FAILED    2        exit 1, 500.0ms    network_apply_failed OWED                            "
                        "RELOAD_FAILED: error\\n\\x1b[31m\n"));
  EXPECT_THAT(run.out,
              HasSubstr("\nid1    " + Began() +
                        "  SDN      REVERTED  1        took too long, 5m  network_applied PARTIAL, network_reverted published  "
                        "written\n"));
}

TEST_F(NetworkHistoryCommandTest, CountIsWhatIsAskedForAndShown) {
  service_.Answer("ListApplies", Page(1, 5, "5"));

  const RunOutcome run = Network({"history", "--count", "3", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_EQ(Asked().page_size(), 3);
  const auto all = FromJson<ListAppliesResponse>(run.out);
  EXPECT_EQ(all.applies_size(), 3);
  EXPECT_EQ(all.next_page_token(), "");
  EXPECT_EQ(Network({"history", "--count", "0"}).exit_code, kUsageError);
}

TEST_F(NetworkHistoryCommandTest, ManyAreAskedForPageByPage) {
  service_.Answer("ListApplies", Page(0, 1000, "7"));
  service_.AnswerThen("ListApplies", Page(1000, 400, "8"));
  service_.AnswerThen("ListApplies", Page(1400, 400, ""));

  const RunOutcome run = Network({"history", "--count", "1500", "--output", "json"});

  const auto all = FromJson<ListAppliesResponse>(run.out);
  EXPECT_EQ(all.applies_size(), 1500);
  EXPECT_EQ(all.applies(1499).apply_id(), "id1499");
  const auto asked = service_.Asked<ListAppliesRequest>("ListApplies");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].page_token(), "");
  EXPECT_EQ(asked[0].page_size(), 1000);
  EXPECT_EQ(asked[1].page_token(), "7");
  EXPECT_EQ(asked[2].page_token(), "8");
}

TEST_F(NetworkHistoryCommandTest, AListThatHasNoEndIsRefused) {
  service_.Answer("ListApplies", Page(0, 1, "7"));

  EXPECT_EQ(Network({"history"}).exit_code, kRefused);
}

TEST_F(NetworkHistoryCommandTest, OneIsShownWithAllThereIsOfIt) {
  service_.Answer("ListApplies", FromText<ListAppliesResponse>(R"(
    applies { apply_id: "id1" state: APPLY_STATE_APPLYING step: APPLY_STEP_RELOADING source: APPLY_SOURCE_PENDING
      changes { change_type: CHANGE_TYPE_CREATE target: "bond0" description: "bond0: new bond" }
      reload { output: "first\nsecond" } })"));

  const RunOutcome run = Network({"history", "id1"});
  const RunOutcome json = Network({"history", "id1", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, AllOf(HasSubstr("state            APPLYING: ifreload -a brings the network to it\n"),
                             HasSubstr("create  bond0      new bond\n"), HasSubstr("\nifreload wrote:\n  first\n  second\n")));
  EXPECT_EQ(Asked().apply_id(), "id1");
  EXPECT_EQ(FromJson<Apply>(json.out).reload().output(), "first\nsecond");
}

TEST_F(NetworkHistoryCommandTest, OneThatThereIsNotIsRefused) {
  Refuse("ListApplies", MakeError(absl::StatusCode::kNotFound, "APPLY_NOT_FOUND", "there is no apply 'x'", {{"apply_id", "x"}}));

  const RunOutcome run = Network({"history", "x"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr("next: `pvebus network history` shows the applies there are"));
}

TEST_F(NetworkHistoryCommandTest, HelpNamesExamplesAndExitStatus) {
  for (const char* command : {"pending", "apply", "confirm", "revert", "history"}) {
    const RunOutcome run = Network({command, "--help"});

    EXPECT_EQ(run.exit_code, 0) << command;
    EXPECT_THAT(run.out, AllOf(HasSubstr("Examples:\n"), HasSubstr("Exit status: "))) << command;
  }
}

}  // namespace
}  // namespace pvebus::cli
