#include <chrono>

#include "cli/testing/container_fixture.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

using container::v1::ListHookExecutionsRequest;
using container::v1::ListHookExecutionsResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kFailed[] = R"(
  executions { execution_id: 9 event_id: "e9" attempt: 2 resource: "container/101" start_time { seconds: 1795435200 }
               result { hook: "lifecycle-programs" state: HOOK_STATE_FAILED resource: "container/101" message: "10-route failed"
                        duration { nanos: 12000000 } exit_code: 3 output: "adding route\nFile exists\n" } })";
constexpr char kLogged[] = R"(
  executions { execution_id: 8 event_id: "e8" attempt: 1 resource: "storage/nas" start_time { seconds: 1795435100 }
               result { hook: "logger" state: HOOK_STATE_UNCHANGED resource: "vlan" message: "logged" duration { nanos: 60000 } } })";

std::string Executions(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "executions { execution_id: " + std::to_string(i + 1) + " }";
  return text;
}

// What the hooks did, newest first.
class ContainerExecutionsCommandTest : public ContainerFixture {
 protected:
  void Answer(const std::string& text) { service_.Answer("ListHookExecutions", FromText<ListHookExecutionsResponse>(text)); }
  void AnswerThen(const std::string& text) {
    service_.AnswerThen("ListHookExecutions", FromText<ListHookExecutionsResponse>(text));
  }
  std::vector<ListHookExecutionsRequest> Asked() { return service_.Asked<ListHookExecutionsRequest>("ListHookExecutions"); }
};

TEST_F(ContainerExecutionsCommandTest, EachIsARowWithTheExitStatusInAColumn) {
  Answer(std::string(kFailed) + kLogged);

  const RunOutcome run = Container({"executions"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(
      run.out,
      AllOf(HasSubstr("RESOURCE       HOOK                RESULT     ATTEMPT  DURATION  EXIT  DETAIL\n"),
            HasSubstr("container/101  lifecycle-programs  FAILED     2        12.0ms    3     10-route failed: File exists\n"),
            HasSubstr("storage/nas    logger              UNCHANGED  1        60us            vlan: logged\n")));
  ASSERT_EQ(Asked().size(), 1u);
  EXPECT_EQ(Asked()[0].page_size(), 100);
  EXPECT_FALSE(Asked()[0].has_start_time());
  EXPECT_FALSE(Asked()[0].has_end_time());
}

TEST_F(ContainerExecutionsCommandTest, ProgramsGetAllThatWasWrittenAndTheEvents) {
  Answer(std::string(kFailed) + kLogged);

  const RunOutcome run = Container({"executions", "--output", "json"});

  const auto all = FromJson<ListHookExecutionsResponse>(run.out);
  ASSERT_EQ(all.executions_size(), 2);
  EXPECT_EQ(all.executions(0).event_id(), "e9");
  EXPECT_EQ(all.executions(0).result().output(), "adding route\nFile exists\n");
  EXPECT_EQ(all.executions(0).result().exit_code(), 3);
  EXPECT_FALSE(all.executions(1).result().has_exit_code());
}

TEST_F(ContainerExecutionsCommandTest, FiltersAreTheServicesToApply) {
  Answer("");

  const RunOutcome run = Container({"executions", "--vmid", "101", "--hook", "logger", "--state", "dry-run", "--event", "e1",
                                    "--from", "2026-11-23T12:00:00Z", "--until", "2026-11-23T13:00:00Z", "--limit", "7"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out, "no executions\n");
  ASSERT_EQ(Asked().size(), 1u);
  EXPECT_EQ(Asked()[0].SerializeAsString(), FromText<ListHookExecutionsRequest>(R"(
    page_size: 7 hook: "logger" state: HOOK_STATE_DRY_RUN event_id: "e1" container_id: 101 start_time { seconds: 1795435200 }
    end_time { seconds: 1795438800 })")
                                                .SerializeAsString());
}

TEST_F(ContainerExecutionsCommandTest, EveryStateHasItsWord) {
  const std::pair<const char*, bus::v1::HookState> cases[] = {{"changed", bus::v1::HOOK_STATE_CHANGED},
                                                              {"unchanged", bus::v1::HOOK_STATE_UNCHANGED},
                                                              {"failed", bus::v1::HOOK_STATE_FAILED},
                                                              {"skipped", bus::v1::HOOK_STATE_SKIPPED},
                                                              {"dry-run", bus::v1::HOOK_STATE_DRY_RUN}};
  Answer("");
  for (const auto& [word, state] : cases) {
    Container({"executions", "--state", word});

    EXPECT_EQ(Asked().back().state(), state) << word;
  }
}

TEST_F(ContainerExecutionsCommandTest, ATimeMayBeHowLongAgo) {
  Answer("");

  Container({"executions", "--from", "-15m", "--until", "-5m"});

  const auto ago = [](const google::protobuf::Timestamp& time) {
    return std::chrono::system_clock::now() - client::FromProto(time);
  };
  EXPECT_GE(ago(Asked().at(0).start_time()), std::chrono::minutes(15));
  EXPECT_LT(ago(Asked().at(0).start_time()), std::chrono::minutes(16));
  EXPECT_GE(ago(Asked().at(0).end_time()), std::chrono::minutes(5));
}

TEST_F(ContainerExecutionsCommandTest, PagesAreFollowedUntilTheLimit) {
  Answer(Executions(3) + R"(next_page_token: "a")");
  AnswerThen(Executions(3) + R"(next_page_token: "b")");

  const RunOutcome json = Container({"executions", "--limit", "5", "--output", "json"});

  const auto all = FromJson<ListHookExecutionsResponse>(json.out);
  EXPECT_EQ(all.executions_size(), 5);
  EXPECT_EQ(all.next_page_token(), "");
  EXPECT_EQ(json.err, "");
  ASSERT_EQ(Asked().size(), 2u);
  EXPECT_EQ(Asked()[1].page_token(), "a");
}

TEST_F(ContainerExecutionsCommandTest, TheLimitIsSaidOnlyWhenItLeftSomethingOut) {
  Answer(Executions(2) + R"(next_page_token: "a")");
  EXPECT_EQ(Container({"executions", "--limit", "2"}).err, "pvebus: ended by --limit 2; there are older ones\n");
  EXPECT_EQ(Asked().size(), 1u);

  Answer(Executions(2));
  EXPECT_EQ(Container({"executions", "--limit", "2"}).err, "");
}

TEST_F(ContainerExecutionsCommandTest, ALimitAboveAPageIsAskedForInPages) {
  Answer("");

  Container({"executions", "--limit", "5000"});

  EXPECT_EQ(Asked().at(0).page_size(), 1000);
}

TEST_F(ContainerExecutionsCommandTest, WhatAProgramWroteIsHarmlessOnATerminal) {
  Answer(R"(executions { resource: "a\033[2J" result { hook: "h" message: "\033[31m" output: "\033[41mred" } })");

  EXPECT_THAT(Container({"executions"}).out, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pvebus::cli
