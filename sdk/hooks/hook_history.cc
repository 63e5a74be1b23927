#include "sdk/hooks/hook_history.h"

#include <algorithm>

#include "google/protobuf/util/time_util.h"

namespace pvebus::hooks {
namespace {

using google::protobuf::util::TimeUtil;

bool Matches(const bus::v1::HookExecution& execution, const ExecutionQuery& query) {
  if (query.before_execution_id != 0 && execution.execution_id() >= query.before_execution_id) return false;
  if (!query.hook.empty() && execution.result().hook() != query.hook) return false;
  if (query.state != bus::v1::HOOK_STATE_UNSPECIFIED && execution.result().state() != query.state) return false;
  if (!query.event_id.empty() && execution.event_id() != query.event_id) return false;
  return query.resource.empty() || execution.resource() == query.resource;
}

}  // namespace

void HookHistory::Record(const std::string& event_id, uint32_t attempt, const std::string& resource,
                         const std::vector<HookRecord>& records) {
  MutexLock lock(mu_);
  for (const HookRecord& record : records) {
    Count(record);
    bus::v1::HookExecution& execution = executions_.emplace_back();
    execution.set_execution_id(++last_execution_id_);
    execution.set_event_id(event_id);
    execution.set_attempt(attempt);
    execution.set_resource(resource);
    *execution.mutable_start_time() = TimeUtil::NanosecondsToTimestamp(
        std::chrono::duration_cast<std::chrono::nanoseconds>(record.start.time_since_epoch()).count());
    *execution.mutable_result() = record.result;
  }
  while (executions_.size() > size_) executions_.pop_front();
}

void HookHistory::Count(const HookRecord& record) {
  Counts& counts = counts_[record.result.hook()];
  ++counts.total;
  switch (record.result.state()) {
    case bus::v1::HOOK_STATE_FAILED:
      ++counts.failed;
      break;
    case bus::v1::HOOK_STATE_SKIPPED:
      ++counts.skipped;
      break;
    default:
      ++counts.succeeded;
  }
  if (!record.ran) return;
  counts.min = counts.measured == 0 ? record.duration : std::min(counts.min, record.duration);
  counts.max = std::max(counts.max, record.duration);
  counts.sum += record.duration;
  ++counts.measured;
}

std::vector<bus::v1::HookExecution> HookHistory::Executions(const ExecutionQuery& query) const {
  std::vector<bus::v1::HookExecution> found;
  MutexLock lock(mu_);
  for (auto execution = executions_.rbegin(); execution != executions_.rend() && found.size() < query.limit; ++execution) {
    if (Matches(*execution, query)) found.push_back(*execution);
  }
  return found;
}

size_t HookHistory::Clear() {
  MutexLock lock(mu_);
  const size_t cleared = executions_.size();
  executions_.clear();
  return cleared;
}

bus::v1::HookStatistics HookHistory::StatisticsOf(const std::string& hook) const {
  bus::v1::HookStatistics statistics;
  statistics.set_hook(hook);
  MutexLock lock(mu_);
  const auto found = counts_.find(hook);
  if (found == counts_.end()) return statistics;
  const Counts& counts = found->second;
  statistics.set_total_count(counts.total);
  statistics.set_succeeded_count(counts.succeeded);
  statistics.set_failed_count(counts.failed);
  statistics.set_skipped_count(counts.skipped);
  if (counts.measured == 0) return statistics;
  *statistics.mutable_min_duration() = TimeUtil::NanosecondsToDuration(counts.min.count());
  *statistics.mutable_average_duration() =
      TimeUtil::NanosecondsToDuration(counts.sum.count() / static_cast<int64_t>(counts.measured));
  *statistics.mutable_max_duration() = TimeUtil::NanosecondsToDuration(counts.max.count());
  return statistics;
}

void HookHistory::ForgetStatistics(const std::string& hook) {
  MutexLock lock(mu_);
  counts_.erase(hook);
}

}  // namespace pvebus::hooks
