#include "sdk/hooks/hook_history.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "google/protobuf/util/time_util.h"

namespace pvebus::hooks {
namespace {

using google::protobuf::util::TimeUtil;

int64_t NanosecondsOf(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

bool Matches(const bus::v1::HookExecution& execution, const ExecutionQuery& query) {
  if (query.before_execution_id != 0 && execution.execution_id() >= query.before_execution_id) return false;
  if (!query.hook.empty() && execution.result().hook() != query.hook) return false;
  if (query.state != bus::v1::HOOK_STATE_UNSPECIFIED && execution.result().state() != query.state) return false;
  if (!query.event_id.empty() && execution.event_id() != query.event_id) return false;
  const int64_t start = TimeUtil::TimestampToNanoseconds(execution.start_time());
  if (start < NanosecondsOf(query.from) || start >= NanosecondsOf(query.until)) return false;
  return query.resource.empty() || execution.resource() == query.resource || execution.result().resource() == query.resource;
}

// Without its id.
bus::v1::HookExecution ExecutionOf(const ChainRun& run, const HookRecord& record, const bus::v1::HookResult& result) {
  bus::v1::HookExecution execution;
  execution.set_event_id(run.event_id);
  execution.set_attempt(run.attempt);
  execution.set_resource(run.resource);
  *execution.mutable_start_time() = TimeUtil::NanosecondsToTimestamp(NanosecondsOf(record.start));
  *execution.mutable_result() = result;
  return execution;
}

}  // namespace

std::string SuccessName(const std::string& hook, std::string_view part) { return absl::StrFormat("%s/%s", hook, part); }

std::string HookRecord::SuccessName() const { return part ? hooks::SuccessName(result.hook(), *part) : result.hook(); }

bool ChainRun::Succeeded(const HookRecord& record) const {
  if (!record.ran || record.interrupted || dry_run || event_id.empty()) return false;
  const bus::v1::HookState state = record.result.state();
  return state == bus::v1::HOOK_STATE_CHANGED || state == bus::v1::HOOK_STATE_UNCHANGED || state == bus::v1::HOOK_STATE_SKIPPED;
}

void HookCounts::Add(const HookRecord& record) {
  ++total;
  switch (record.result.state()) {
    case bus::v1::HOOK_STATE_FAILED:
      ++failed;
      break;
    case bus::v1::HOOK_STATE_SKIPPED:
      ++skipped;
      break;
    default:
      ++succeeded;
  }
  if (!record.ran) return;
  min = measured == 0 ? record.duration : std::min(min, record.duration);
  max = std::max(max, record.duration);
  sum += record.duration;
  ++measured;
}

void HookHistory::Restore(std::vector<bus::v1::HookExecution> executions, uint64_t last_execution_id,
                          std::map<std::string, HookCounts> counts) {
  MutexLock lock(mu_);
  executions_.assign(std::make_move_iterator(executions.begin()), std::make_move_iterator(executions.end()));
  last_execution_id_ = last_execution_id;
  counts_ = std::move(counts);
}

std::vector<bus::v1::HookExecution> HookHistory::Record(const ChainRun& run) {
  std::vector<bus::v1::HookExecution> recorded;
  recorded.reserve(run.records.size());
  MutexLock lock(mu_);
  for (const HookRecord& record : run.records) {
    if (!record.part) counts_[record.result.hook()].Add(record);
    recorded.push_back(ExecutionOf(run, record, record.result));
    for (const bus::v1::HookResult& detail : record.details) recorded.push_back(ExecutionOf(run, record, detail));
  }
  for (bus::v1::HookExecution& execution : recorded) {
    execution.set_execution_id(++last_execution_id_);
    executions_.push_back(execution);
  }
  while (executions_.size() > size_) executions_.pop_front();
  return recorded;
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

uint64_t HookHistory::last_execution_id() const {
  MutexLock lock(mu_);
  return last_execution_id_;
}

bus::v1::HookStatistics HookHistory::StatisticsOf(const std::string& hook) const {
  bus::v1::HookStatistics statistics;
  statistics.set_hook(hook);
  MutexLock lock(mu_);
  const auto found = counts_.find(hook);
  if (found == counts_.end()) return statistics;
  const HookCounts& counts = found->second;
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
