#include "cli/testing/commands_fixture.h"
#include "google/protobuf/util/json_util.h"
#include "pvebus/bus/v1/journal_service.pb.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The record as a whole: how it is, and whether it is what was written.
class JournalCommandTest : public CommandsFixture {
 protected:
  static bus::v1::GetJournalStatusResponse Healthy() {
    bus::v1::GetJournalStatusResponse status;
    status.set_kind(bus::v1::JOURNAL_KIND_SQLITE);
    status.set_durable(true);
    status.set_event_count(3);
    status.set_event_bytes(1 << 20);
    status.set_max_event_bytes(4 << 20);
    status.set_first_sequence(1);
    status.set_last_sequence(3);
    status.set_durable_sequence(3);
    return status;
  }
  static void AddProblem(google::protobuf::RepeatedPtrField<bus::v1::JournalProblem>& problems) {
    bus::v1::JournalProblem& problem = *problems.Add();
    problem.set_part("events");
    problem.set_sequence(2);
    problem.set_message("checksum differs");
  }
  static bus::v1::VerifyJournalResponse Checked(uint64_t checked, bool done) {
    bus::v1::VerifyJournalResponse response;
    response.set_checked_events(checked);
    response.set_total_events(10);
    response.set_done(done);
    return response;
  }
};

TEST_F(JournalCommandTest, AHealthyJournalIsToldInFourLines) {
  bus_.Answer("GetJournalStatus", Healthy());

  const RunOutcome run = Pvebus({"journal", "status"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("SQLITE, durable\n"), HasSubstr("3, 1.0 MiB of 4.0 MiB (25%)"), HasSubstr("sequence 3\n"),
                             Not(HasSubstr("warning")), Not(HasSubstr("DAMAGED"))));
}

TEST_F(JournalCommandTest, AJournalThatIsNotDurableIsSaidLoudly) {
  bus::v1::GetJournalStatusResponse status;
  status.set_kind(bus::v1::JOURNAL_KIND_MEMORY);
  bus_.Answer("GetJournalStatus", status);

  const RunOutcome run = Pvebus({"journal", "status"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, AllOf(HasSubstr("MEMORY, NOT DURABLE"), HasSubstr("warning"), HasSubstr("none yet")));
}

TEST_F(JournalCommandTest, DamageIsSaidLoudlyWithWhatToDoAndEndsInAFailure) {
  bus::v1::GetJournalStatusResponse status = Healthy();
  status.set_read_only(true);
  status.add_warnings("look \x1b[31m at this");
  AddProblem(*status.mutable_problems());
  bus_.Answer("GetJournalStatus", status);

  const RunOutcome run = Pvebus({"journal", "status"});
  const RunOutcome json = Pvebus({"journal", "status", "--output", "json"});

  EXPECT_EQ(run.exit_code, kListenerFailed);
  EXPECT_THAT(run.out, AllOf(HasSubstr("READ ONLY: publishes are refused"), HasSubstr("DAMAGED\n"), HasSubstr("checksum differs"),
                             HasSubstr("\nnext: "), HasSubstr("look \\x1b[31m")));
  EXPECT_EQ(json.exit_code, kListenerFailed);
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"read_only\": true"), HasSubstr("\"message\": \"checksum differs\"")));
}

TEST_F(JournalCommandTest, AnAcceptedLossIsHistoryAndNoDamage) {
  bus::v1::GetJournalStatusResponse status = Healthy();
  bus::v1::JournalLoss& loss = *status.add_losses();
  loss.mutable_accept_time()->set_seconds(1'795'435'200);
  loss.set_part("events");
  loss.set_first_sequence(17);
  loss.set_last_sequence(20);
  loss.set_message("events 17..20");
  bus_.Answer("GetJournalStatus", status);

  const RunOutcome run = Pvebus({"journal", "status"});
  const RunOutcome json = Pvebus({"journal", "status", "--output", "json"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("state            whole"), HasSubstr("\naccepted losses\n"), HasSubstr("2026-11-23"),
                             HasSubstr("#17..#20"), Not(HasSubstr("DAMAGED")), Not(HasSubstr("next:"))));
  EXPECT_EQ(json.exit_code, kAllSucceeded);
  EXPECT_THAT(json.out, HasSubstr("\"first_sequence\": \"17\""));
  status.set_read_only(true);
  AddProblem(*status.mutable_problems());
  bus_.Answer("GetJournalStatus", status);
  const RunOutcome again = Pvebus({"journal", "status"});
  EXPECT_EQ(again.exit_code, kListenerFailed) << "a new damage is one";
  EXPECT_THAT(again.out, AllOf(HasSubstr("DAMAGED\n"), HasSubstr("accepted losses"), Not(HasSubstr("whole"))));
}

TEST_F(JournalCommandTest, ReadOnlyWithoutANamedProblemLeadsToTheCheck) {
  bus::v1::GetJournalStatusResponse status = Healthy();
  status.set_read_only(true);
  bus_.Answer("GetJournalStatus", status);

  EXPECT_THAT(Pvebus({"journal", "status"}).out, HasSubstr("`pvebus journal verify`"));
}

TEST_F(JournalCommandTest, WhatWasGivenUpOrIsNotDurableYetIsSaid) {
  bus::v1::GetJournalStatusResponse status = Healthy();
  status.set_lost_deliveries(5);
  status.set_durable_sequence(2);
  bus_.Answer("GetJournalStatus", status);

  EXPECT_THAT(Pvebus({"journal", "status"}).out,
              AllOf(HasSubstr("GIVEN UP         5 events"), HasSubstr("sequence 3, durable to 2")));
}

TEST_F(JournalCommandTest, AJournalThatIsAsItWasWrittenIsSaidSo) {
  const auto half = Checked(5, false), whole = Checked(10, true);
  bus_.Answer("VerifyJournal", {&half, &whole});

  const RunOutcome run = Pvebus({"journal", "verify"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out, "10 events are as they were written\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(JournalCommandTest, WhatIsDamagedIsListedFromAllMessages) {
  auto half = Checked(5, false), whole = Checked(10, true);
  AddProblem(*half.mutable_problems());
  AddProblem(*whole.mutable_problems());
  bus_.Answer("VerifyJournal", {&half, &whole});

  const RunOutcome table = Pvebus({"journal", "verify"});
  const RunOutcome json = Pvebus({"journal", "verify", "--output", "json"});

  EXPECT_EQ(table.exit_code, kListenerFailed);
  EXPECT_THAT(table.out, AllOf(HasSubstr("10 of 10 events checked"), HasSubstr("events  2         checksum differs")));
  EXPECT_EQ(json.exit_code, kListenerFailed);
  bus::v1::VerifyJournalResponse report;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json.out, &report).ok()) << json.out;
  EXPECT_EQ(report.problems_size(), 2);
  EXPECT_EQ(report.checked_events(), 10u);
  EXPECT_TRUE(report.done());
}

TEST_F(JournalCommandTest, ACheckThatEndsWithoutItsOutcomeIsNoSuccess) {
  auto half = Checked(5, false);
  AddProblem(*half.mutable_problems());
  bus_.Answer("VerifyJournal", {&half});
  const RunOutcome ended = Pvebus({"journal", "verify"});
  bus_.Answer("VerifyJournal", {&half}, ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "DRAINING", "shutting down")));
  const RunOutcome broken = Pvebus({"journal", "verify"});

  EXPECT_EQ(ended.exit_code, kRefused);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("interrupted after 5 of 10 events"), HasSubstr("checksum differs")));
  EXPECT_THAT(ended.err, HasSubstr("without its outcome"));
  EXPECT_EQ(broken.exit_code, kRefused);
  EXPECT_THAT(broken.err, HasSubstr("DRAINING"));
}

}  // namespace
}  // namespace pvebus::cli
