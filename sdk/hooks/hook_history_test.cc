#include "sdk/hooks/hook_history.h"

#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"

namespace pvebus::hooks {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

HookRecord MakeRecord(const std::string& hook, bus::v1::HookState state, Duration duration = {}, bool ran = true) {
  HookRecord record;
  record.result.set_hook(hook);
  record.result.set_state(state);
  record.duration = duration;
  record.ran = ran;
  return record;
}

ChainRun RunOf(const std::string& event_id, uint32_t attempt, const std::string& resource, std::vector<HookRecord> records) {
  return {.event_id = event_id, .attempt = attempt, .resource = resource, .records = std::move(records)};
}

std::vector<uint64_t> Ids(const std::vector<bus::v1::HookExecution>& executions) {
  std::vector<uint64_t> ids;
  for (const auto& execution : executions) ids.push_back(execution.execution_id());
  return ids;
}

class HookHistoryTest : public testing::Test {
 protected:
  // Executions 1..4 of two events.
  void RecordTwoEvents() {
    history_.Record(RunOf("e1", 1, "container/101",
                          {MakeRecord("a", bus::v1::HOOK_STATE_CHANGED), MakeRecord("b", bus::v1::HOOK_STATE_FAILED)}));
    history_.Record(
        RunOf("e2", 2, "network", {MakeRecord("a", bus::v1::HOOK_STATE_SKIPPED), MakeRecord("b", bus::v1::HOOK_STATE_DRY_RUN)}));
  }

  HookHistory history_{10};
};

TEST_F(HookHistoryTest, NewestExecutionsComeFirst) {
  RecordTwoEvents();

  const auto executions = history_.Executions({});

  EXPECT_THAT(Ids(executions), ElementsAre(4, 3, 2, 1));
  EXPECT_EQ(executions[0].event_id(), "e2");
  EXPECT_EQ(executions[0].attempt(), 2u);
  EXPECT_EQ(executions[3].resource(), "container/101");
}

TEST_F(HookHistoryTest, EveryFieldOfAQueryFilters) {
  RecordTwoEvents();

  EXPECT_THAT(Ids(history_.Executions({.hook = "a"})), ElementsAre(3, 1));
  EXPECT_THAT(Ids(history_.Executions({.state = bus::v1::HOOK_STATE_FAILED})), ElementsAre(2));
  EXPECT_THAT(Ids(history_.Executions({.event_id = "e1"})), ElementsAre(2, 1));
  EXPECT_THAT(Ids(history_.Executions({.resource = "network"})), ElementsAre(4, 3));
  EXPECT_THAT(Ids(history_.Executions({.before_execution_id = 3})), ElementsAre(2, 1));
  EXPECT_THAT(Ids(history_.Executions({.limit = 3})), ElementsAre(4, 3, 2));
  EXPECT_THAT(Ids(history_.Executions({.hook = "c"})), IsEmpty());
}

TEST_F(HookHistoryTest, QueryBoundsWhenExecutionsBegan) {
  const auto second = [](int64_t count) { return SystemTime(std::chrono::seconds(count)); };
  for (int i = 1; i <= 4; ++i) {
    HookRecord record = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
    record.start = second(i);
    history_.Record(RunOf("e", 1, "network", {record}));
  }

  EXPECT_THAT(Ids(history_.Executions({.from = second(3)})), ElementsAre(4, 3));
  EXPECT_THAT(Ids(history_.Executions({.until = second(3)})), ElementsAre(2, 1));
  EXPECT_THAT(Ids(history_.Executions({.from = second(2), .until = second(4)})), ElementsAre(3, 2));
  EXPECT_THAT(Ids(history_.Executions({.from = second(2), .until = second(2)})), IsEmpty());
}

TEST_F(HookHistoryTest, PartOfAHookIsAnExecutionAndNoRun) {
  HookRecord part = MakeRecord("a", bus::v1::HOOK_STATE_FAILED);
  part.part = "p";
  HookRecord whole = MakeRecord("a", bus::v1::HOOK_STATE_CHANGED);
  whole.recorded_parts = {part.result};

  history_.Record(RunOf("e", 1, "network", {part}));
  history_.Record(RunOf("e", 1, "network", {whole}));

  EXPECT_THAT(Ids(history_.Executions({})), ElementsAre(2, 1));
  EXPECT_EQ(history_.StatisticsOf("a").total_count(), 1u);
  EXPECT_EQ(part.SuccessName(), "a/p");
  EXPECT_EQ(whole.SuccessName(), "a");
}

TEST_F(HookHistoryTest, OldestExecutionsAreForgottenWhenThereAreTooMany) {
  for (int i = 0; i < 25; ++i) history_.Record(RunOf("e", 1, "network", {MakeRecord("a", bus::v1::HOOK_STATE_CHANGED)}));

  const auto executions = history_.Executions({});

  ASSERT_EQ(executions.size(), 10u);
  EXPECT_EQ(executions.front().execution_id(), 25u);
  EXPECT_EQ(history_.StatisticsOf("a").total_count(), 25u);
}

TEST_F(HookHistoryTest, StatisticsCountByOutcomeAndMeasureDurations) {
  using std::chrono::milliseconds;
  history_.Record(RunOf("e", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_CHANGED, milliseconds(10))}));
  history_.Record(RunOf("e", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_UNCHANGED, milliseconds(20))}));
  history_.Record(RunOf("e", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_DRY_RUN, milliseconds(30))}));
  history_.Record(RunOf("e", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_FAILED, milliseconds(40))}));
  history_.Record(RunOf("e", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_SKIPPED, milliseconds(0))}));
  history_.Record(RunOf("e", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_FAILED, milliseconds(0), /*ran=*/false)}));

  const bus::v1::HookStatistics statistics = history_.StatisticsOf("a");

  EXPECT_EQ(statistics.total_count(), 6u);
  EXPECT_EQ(statistics.succeeded_count(), 3u);
  EXPECT_EQ(statistics.failed_count(), 2u);
  EXPECT_EQ(statistics.skipped_count(), 1u);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(statistics.min_duration()), 0);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(statistics.average_duration()), 20);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(statistics.max_duration()), 40);
}

TEST_F(HookHistoryTest, StatisticsBeforeTheFirstRunHaveNoDurations) {
  const bus::v1::HookStatistics statistics = history_.StatisticsOf("a");

  EXPECT_EQ(statistics.hook(), "a");
  EXPECT_EQ(statistics.total_count(), 0u);
  EXPECT_FALSE(statistics.has_min_duration());
  EXPECT_FALSE(statistics.has_average_duration());
}

TEST_F(HookHistoryTest, ClearingKeepsStatisticsAndTheCountOfIds) {
  RecordTwoEvents();

  EXPECT_EQ(history_.Clear(), 4u);

  EXPECT_THAT(history_.Executions({}), IsEmpty());
  EXPECT_EQ(history_.StatisticsOf("a").total_count(), 2u);
  history_.Record(RunOf("e3", 1, "", {MakeRecord("a", bus::v1::HOOK_STATE_CHANGED)}));
  EXPECT_THAT(Ids(history_.Executions({})), ElementsAre(5));
}

}  // namespace
}  // namespace pvebus::hooks
