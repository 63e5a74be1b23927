#include "migration-service/core/outcome_window.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_format.h"
#include "migration-service/core/endpoint_pattern.h"

namespace pvebus::migration {
namespace {

constexpr char kOtherMethods[] = "*";
constexpr char kOtherPatterns[] = "**";
// Whatever somebody reports, sums of it do not overflow.
constexpr Duration kLongestLatency = std::chrono::hours(24);
constexpr Duration kMostTotal = Duration::max() - kLongestLatency;

double ShareOfFailures(size_t failures, size_t reports) {
  return reports == 0 ? 0.0 : static_cast<double>(failures) / static_cast<double>(reports);
}

}  // namespace

bool IsFailure(CallResult result) { return result == CallResult::kFailed || result == CallResult::kTimedOut; }

bool OutcomeWindow::Report(const Endpoint& endpoint, Implementation implementation, CallResult result, Duration reported) {
  const bool failed = IsFailure(result);
  const Duration latency = std::clamp(reported, Duration::zero(), kLongestLatency);
  const std::string pattern = PatternOf(endpoint.segments);
  MutexLock lock(mu_);
  EndpointShare& share = ShareOf(endpoint.method, pattern, implementation);
  ++share.reports;
  if (failed) ++share.failures;
  share.longest = std::max(share.longest, latency);
  share.total = std::min(share.total + latency, kMostTotal);
  if (implementation != Implementation::kRust) return false;
  last_.push_back(failed);
  if (failed) ++failures_;
  if (last_.size() > options_.window) {
    if (last_.front()) --failures_;
    last_.pop_front();
  }
  if (told_ || !TooManyFailed()) return false;
  told_ = true;
  return true;
}

std::string OutcomeWindow::Describe() const {
  MutexLock lock(mu_);
  const std::string most = options_.step_back ? absl::StrFormat(", at most %.1f %%", 100 * *options_.step_back) : "";
  return absl::StrFormat("%d of the last %d calls of the new implementation failed (%.1f %%%s)", failures_, last_.size(),
                         100 * ShareOfFailures(failures_, last_.size()), most);
}

std::vector<EndpointShare> OutcomeWindow::Shares() const {
  std::vector<EndpointShare> shares;
  {
    MutexLock lock(mu_);
    for (const auto& [key, share] : shares_) shares.push_back(share);
  }
  const auto by_failures = [](const EndpointShare& a, const EndpointShare& b) {
    return std::tie(b.failures, b.reports) < std::tie(a.failures, a.reports);
  };
  std::stable_sort(shares.begin(), shares.end(), by_failures);
  return shares;
}

void OutcomeWindow::TellAgain() {
  MutexLock lock(mu_);
  told_ = false;
}

void OutcomeWindow::Clear() {
  MutexLock lock(mu_);
  last_.clear();
  failures_ = 0;
  told_ = false;
  shares_.clear();
}

bool OutcomeWindow::TooManyFailed() const {
  const size_t least = std::min(options_.least, options_.window);
  return options_.step_back && last_.size() >= least && ShareOfFailures(failures_, last_.size()) > *options_.step_back;
}

EndpointShare& OutcomeWindow::ShareOf(const std::string& method, const std::string& pattern, Implementation implementation) {
  const auto key_of = [&](const std::string& of_method, const std::string& of_pattern) {
    return absl::StrFormat("%s %s %s", of_pattern, of_method, NameOf(implementation));
  };
  const std::string key = key_of(method, pattern);
  if (const auto found = shares_.find(key); found != shares_.end()) return found->second;
  if (shares_.size() < options_.most_endpoints) {
    return shares_[key] = {.method = method, .pattern = pattern, .implementation = implementation};
  }
  EndpointShare& others = shares_[key_of(kOtherMethods, kOtherPatterns)];
  others.method = kOtherMethods;
  others.pattern = kOtherPatterns;
  others.implementation = implementation;
  return others;
}

}  // namespace pvebus::migration
