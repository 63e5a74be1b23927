#include "cli/testing/commands_fixture.h"
#include "google/protobuf/util/json_util.h"
#include "pvebus/bus/v1/dead_letter_service.pb.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

bus::v1::DeadLetter Letter(uint64_t id) {
  bus::v1::DeadLetter letter;
  letter.set_dead_letter_id(id);
  letter.set_listener("storage-hooks");
  letter.set_attempt_count(3);
  letter.mutable_event()->set_event_id("e7");
  letter.mutable_event()->set_sequence(7);
  letter.mutable_event()->mutable_storage_vlan_created()->set_id("nas");
  letter.mutable_dead_letter_time()->set_seconds(1'795'435'200);
  letter.mutable_error()->set_code(14);
  letter.mutable_error()->set_reason("NFS_DOWN");
  letter.mutable_error()->set_message("NAS does not answer");
  return letter;
}

// See what was given up, try it again, forget it.
class DeadLettersCommandTest : public CommandsFixture {
 protected:
  void AnswerRedrive(uint64_t count, const std::string& redrive_id = "redrive-3") {
    bus::v1::RedriveDeadLettersResponse response;
    response.set_redriven_count(count);
    response.set_redrive_id(redrive_id);
    bus_.Answer("RedriveDeadLetters", response);
  }
  void AnswerDiscard(uint64_t count) {
    bus::v1::DiscardDeadLettersResponse response;
    response.set_discarded_count(count);
    bus_.Answer("DiscardDeadLetters", response);
  }
  std::vector<bus::v1::RedriveDeadLettersRequest> Redriven() {
    return bus_.Asked<bus::v1::RedriveDeadLettersRequest>("RedriveDeadLetters");
  }
  std::vector<bus::v1::DiscardDeadLettersRequest> Discarded() {
    return bus_.Asked<bus::v1::DiscardDeadLettersRequest>("DiscardDeadLetters");
  }
};

TEST_F(DeadLettersCommandTest, AllPagesAreOneTableAndOneDocument) {
  bus::v1::ListDeadLettersResponse first, second;
  *first.add_dead_letters() = Letter(17);
  first.set_next_page_token("more");
  *second.add_dead_letters() = Letter(18);
  second.mutable_dead_letters(0)->set_redrive_id("redrive-3");
  for (int run = 0; run < 2; ++run) {
    run == 0 ? bus_.Answer("ListDeadLetters", first) : bus_.AnswerThen("ListDeadLetters", first);
    bus_.AnswerThen("ListDeadLetters", second);
  }

  const RunOutcome table = Pvebus({"dead-letters", "list", "--filter", "reason = \"NFS_DOWN\""});
  const RunOutcome json = Pvebus({"dead-letters", "list", "--output", "json"});

  EXPECT_EQ(table.exit_code, kAllSucceeded) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("17  storage-hooks  #7 VLAN of storage nas created"), HasSubstr("18  storage-hooks"),
                               HasSubstr("redrive-3"), HasSubstr("UNAVAILABLE NFS_DOWN: NAS does not answer")));
  bus::v1::ListDeadLettersResponse all;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json.out, &all).ok()) << json.out;
  EXPECT_EQ(all.dead_letters_size(), 2);
  const auto asked = bus_.Asked<bus::v1::ListDeadLettersRequest>("ListDeadLetters");
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].filter(), "reason = \"NFS_DOWN\"");
  EXPECT_EQ(asked[1].page_token(), "more");
}

TEST_F(DeadLettersCommandTest, AListEndsAtItsLimitAndAnEmptyOneIsSaid) {
  bus::v1::ListDeadLettersResponse page;
  *page.add_dead_letters() = Letter(17);
  *page.add_dead_letters() = Letter(18);
  page.set_next_page_token("more");
  bus_.Answer("ListDeadLetters", page);

  const RunOutcome limited = Pvebus({"dead-letters", "list", "--limit", "1"});
  bus_.Answer("ListDeadLetters", bus::v1::ListDeadLettersResponse());

  EXPECT_THAT(limited.out, AllOf(HasSubstr("17"), Not(HasSubstr("18  "))));
  EXPECT_EQ(bus_.Asked<bus::v1::ListDeadLettersRequest>("ListDeadLetters").at(0).page_size(), 1);
  EXPECT_EQ(Pvebus({"dead-letters", "list"}).out, "no dead letters\n");
  EXPECT_EQ(Pvebus({"dead-letters", "list", "--filter", "f"}).out, "no dead letters match\n");
}

TEST_F(DeadLettersCommandTest, OneIsShownWithEveryAttemptItsHooksAndWhatToDo) {
  bus::v1::GetDeadLetterResponse response;
  *response.mutable_dead_letter() = Letter(17);
  for (uint32_t number = 1; number <= 3; ++number) {
    bus::v1::DeliveryAttempt& attempt = *response.mutable_dead_letter()->add_attempts();
    attempt.set_listener("storage-hooks");
    attempt.set_attempt(number);
    attempt.mutable_error()->set_code(4);
    attempt.mutable_error()->set_reason("TRY_" + std::to_string(number));
  }
  bus::v1::HookResult& hook = *response.mutable_dead_letter()->add_hook_results();
  hook.set_hook("nfs-mounter");
  hook.set_state(bus::v1::HOOK_STATE_FAILED);
  bus_.Answer("GetDeadLetter", response);

  const RunOutcome run = Pvebus({"dead-letters", "show", "17"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(bus_.Asked<bus::v1::GetDeadLetterRequest>("GetDeadLetter").at(0).dead_letter_id(), 17u);
  EXPECT_THAT(run.out, AllOf(HasSubstr("dead letter      17\n"), HasSubstr("after 3 attempts"),
                             HasSubstr("event            e7\n"), HasSubstr("TRY_1"), HasSubstr("TRY_3"),
                             HasSubstr("nfs-mounter  FAILED"), HasSubstr("next: pvebus dead-letters redrive 17")));
  EXPECT_THAT(Pvebus({"dead-letters", "show", "17", "--output", "json"}).out, HasSubstr("\"dead_letter_id\": \"17\""));
}

TEST_F(DeadLettersCommandTest, RedriveSendsTheSelection) {
  AnswerRedrive(2);

  const RunOutcome by_id = Pvebus({"dead-letters", "redrive", "17", "18"});
  Pvebus({"dead-letters", "redrive", "--filter", "listener = \"a\"", "--validate-only"});
  const RunOutcome all = Pvebus({"dead-letters", "redrive", "--all", "--output", "json"});

  EXPECT_EQ(by_id.exit_code, kAllSucceeded) << by_id.err;
  EXPECT_THAT(by_id.out, AllOf(HasSubstr("2 dead letters are delivered again, as redrive redrive-3"), HasSubstr("to watch it")));
  ASSERT_EQ(Redriven().size(), 3u);
  EXPECT_THAT(Redriven()[0].selection().dead_letter_ids(), ElementsAre(17, 18));
  EXPECT_FALSE(Redriven()[0].validate_only());
  EXPECT_EQ(Redriven()[1].selection().filter(), "listener = \"a\"");
  EXPECT_TRUE(Redriven()[1].validate_only());
  EXPECT_TRUE(Redriven()[2].has_selection());
  EXPECT_EQ(Redriven()[2].selection().dead_letter_ids_size(), 0);
  EXPECT_THAT(all.out, HasSubstr("\"redrive_id\": \"redrive-3\""));
}

TEST_F(DeadLettersCommandTest, NothingSelectedIsSaidAndNamedOnesThatAreNotThereAreAFailure) {
  AnswerRedrive(0, "");
  AnswerDiscard(1);

  const RunOutcome none = Pvebus({"dead-letters", "redrive", "--all"});
  const RunOutcome fewer = Pvebus({"dead-letters", "discard", "17", "18", "--reason", "x"});

  EXPECT_EQ(none.exit_code, kAllSucceeded);
  EXPECT_THAT(none.out, HasSubstr("nothing to redrive"));
  EXPECT_EQ(fewer.exit_code, kListenerFailed);
  EXPECT_THAT(fewer.out, HasSubstr("1 dead letter forgotten"));
  EXPECT_THAT(fewer.err, HasSubstr("1 of the 2 that were named"));
}

TEST_F(DeadLettersCommandTest, AnIdThatIsNamedTwiceIsOneDeadLetter) {
  AnswerDiscard(2);

  const RunOutcome run = Pvebus({"dead-letters", "discard", "18", "17", "18", "--reason", "x"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_THAT(Discarded()[0].selection().dead_letter_ids(), ElementsAre(17, 18));
}

TEST_F(DeadLettersCommandTest, DiscardSendsTheReason) {
  AnswerDiscard(1);

  const RunOutcome checked = Pvebus({"dead-letters", "discard", "17", "--reason", "container is gone", "--validate-only"});
  const RunOutcome done = Pvebus({"dead-letters", "discard", "--all", "--reason", "container is gone"});

  EXPECT_THAT(checked.out, HasSubstr("1 dead letter would be forgotten; nothing was done"));
  EXPECT_EQ(done.out, "1 dead letter forgotten\n");
  ASSERT_EQ(Discarded().size(), 2u);
  EXPECT_EQ(Discarded()[0].reason(), "container is gone");
  EXPECT_TRUE(Discarded()[0].validate_only());
  EXPECT_THAT(Discarded()[0].selection().dead_letter_ids(), ElementsAre(17));
  EXPECT_FALSE(Discarded()[1].validate_only());
}

TEST_F(DeadLettersCommandTest, WhatWouldSelectEverythingByAccidentIsRefusedAndTheBusIsNotAsked) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"dead-letters", "redrive"}, "--all"},
      {{"dead-letters", "redrive", "--filter", ""}, "--all"},
      {{"dead-letters", "discard", "--reason", "x"}, "--all"},
      {{"dead-letters", "discard", "17"}, "--reason"},
      {{"dead-letters", "discard", "17", "--reason", ""}, "say why"},
      {{"dead-letters", "redrive", "17", "--all"}, "--all"},
      {{"dead-letters", "redrive", "--filter", "f", "--all"}, "--all"},
      {{"dead-letters", "redrive", "17", "--filter", "f"}, "--filter"},
      {{"dead-letters", "redrive", "storage-hooks"}, "--filter 'listener"},
      {{"dead-letters", "redrive", "0"}, "'0'"},
      {{"dead-letters", "show", "e7"}, "pvebus dead-letters list"},
  };
  for (const auto& [arguments, expected] : cases) {
    const RunOutcome run = Pvebus(arguments);

    EXPECT_EQ(run.exit_code, kUsageError) << testing::PrintToString(arguments) << run.err;
    EXPECT_THAT(run.err, HasSubstr(expected)) << testing::PrintToString(arguments);
  }
  EXPECT_TRUE(Redriven().empty());
  EXPECT_TRUE(Discarded().empty());
}

TEST_F(DeadLettersCommandTest, MoreIdsThanTheBusTakesAreRefusedHere) {
  std::vector<std::string> ids;
  for (int id = 1; id <= 1001; ++id) ids.push_back(std::to_string(id));
  std::vector<const char*> arguments = {"dead-letters", "redrive"};
  for (const std::string& id : ids) arguments.push_back(id.c_str());

  const RunOutcome run = Pvebus(arguments);

  EXPECT_EQ(run.exit_code, kUsageError);
  EXPECT_THAT(run.err, HasSubstr("at most 1000"));
}

TEST_F(DeadLettersCommandTest, ARedriveThatRunsIsExplained) {
  bus_.Answer("RedriveDeadLetters", {},
              ToGrpcStatus(MakeError(absl::StatusCode::kFailedPrecondition, "REDRIVE_RUNNING", "a redrive is under way")));

  const RunOutcome run = Pvebus({"dead-letters", "redrive", "--all"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("REDRIVE_RUNNING"), HasSubstr("next: wait until it has ended")));
}

}  // namespace
}  // namespace pvebus::cli
