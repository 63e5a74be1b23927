#include <cstdlib>

#include "cli/testing/container_fixture.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using container::v1::ClearHookExecutionsResponse;
using container::v1::GetHookStatisticsRequest;
using container::v1::GetHookStatisticsResponse;
using container::v1::ListHooksResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Which hooks there are and how they fare.
class ContainerHooksCommandTest : public ContainerFixture {};

TEST_F(ContainerHooksCommandTest, HooksAreListedInTheirOrder) {
  service_.Answer("ListHooks", FromText<ListHooksResponse>(R"(
    hooks { name: "network-event-logger" description: "logs each event" time_limit { seconds: 5 } }
    hooks { name: "lifecycle-programs" description: "runs \033[31mprograms" time_limit { seconds: 90 } })"));

  const RunOutcome table = Container({"hooks"});
  const RunOutcome json = Container({"hooks", "--output", "json"});

  EXPECT_EQ(table.exit_code, kAllSucceeded) << table.err;
  EXPECT_EQ(table.out,
            "HOOK                  TIME LIMIT  DESCRIPTION\n"
            "network-event-logger  5.0s        logs each event\n"
            "lifecycle-programs    1m30s       runs \\x1b[31mprograms\n");
  EXPECT_EQ(FromJson<ListHooksResponse>(json.out).hooks_size(), 2);
}

TEST_F(ContainerHooksCommandTest, StatisticsHaveARowPerHook) {
  service_.Answer("GetHookStatistics", FromText<GetHookStatisticsResponse>(R"(
    statistics { hook: "network-event-logger" total_count: 12 succeeded_count: 9 failed_count: 1 skipped_count: 2
                 min_duration { nanos: 60000 } average_duration { nanos: 1500000 } max_duration { seconds: 5 } }
    statistics { hook: "fresh" })"));

  const RunOutcome table = Container({"stats"});
  const RunOutcome json = Container({"stats", "--hook", "fresh", "--output", "json"});

  EXPECT_EQ(table.exit_code, kAllSucceeded) << table.err;
  EXPECT_EQ(table.out,
            "HOOK                  RUNS  SUCCEEDED  FAILED  SKIPPED  SHORTEST  MEAN   LONGEST\n"
            "network-event-logger  12    9          1       2        60us      1.5ms  5.0s\n"
            "fresh                 0     0          0       0        -         -      -\n");
  EXPECT_EQ(FromJson<GetHookStatisticsResponse>(json.out).statistics(0).total_count(), 12u);
  const auto asked = service_.Asked<GetHookStatisticsRequest>("GetHookStatistics");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].hook(), "");
  EXPECT_EQ(asked[1].hook(), "fresh");
}

TEST_F(ContainerHooksCommandTest, ClearingSaysHowManyAndThatTheStatisticsStay) {
  service_.Answer("ClearHookExecutions", FromText<ClearHookExecutionsResponse>("cleared_count: 12"));
  EXPECT_EQ(Container({"clear"}).out, "cleared 12 executions; the statistics stay\n");
  EXPECT_EQ(FromJson<ClearHookExecutionsResponse>(Container({"clear", "--output", "json"}).out).cleared_count(), 12u);

  service_.Answer("ClearHookExecutions", FromText<ClearHookExecutionsResponse>("cleared_count: 1"));
  EXPECT_EQ(Container({"clear"}).out, "cleared 1 execution; the statistics stay\n");
}

TEST_F(ContainerHooksCommandTest, AHookThatIsNotThereComesWithWhatToDo) {
  service_.Answer("GetHookStatistics", {},
                  ToGrpcStatus(MakeError(absl::StatusCode::kNotFound, "HOOK_NOT_FOUND", "there is no hook 'logr'")));

  const RunOutcome run = Container({"stats", "--hook", "logr"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, AllOf(HasSubstr("refused: NOT_FOUND HOOK_NOT_FOUND: there is no hook 'logr'"),
                             HasSubstr("next: `pvebus container hooks`")));
}

TEST_F(ContainerHooksCommandTest, AnOlderServiceIsNotTakenForTheBus) {
  const RunOutcome run = Container({"hooks"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, HasSubstr("is it container-service, and as new as this program?"));
  EXPECT_THAT(run.err, Not(HasSubstr("the bus")));
}

TEST_F(ContainerHooksCommandTest, TheAddressMayComeFromTheEnvironment) {
  service_.Answer("ListHooks", ListHooksResponse());
  setenv("PVEBUS_CONTAINER", service_.address().c_str(), 1);  // NOLINT(concurrency-mt-unsafe): the test is alone
  const RunOutcome run = RunInTest({"container", "hooks"});
  unsetenv("PVEBUS_CONTAINER");  // NOLINT(concurrency-mt-unsafe)

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.out, "no hooks\n");
}

}  // namespace
}  // namespace pvebus::cli
