#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "migration-service/core/route_table.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::migration {

// How a call ended for whoever made it.
enum class CallResult {
  kSucceeded,
  kRefused,   // the caller's fault (4xx): no failure of the implementation
  kFailed,    // the implementation's (5xx, no connection)
  kTimedOut,  // no answer in time
};
bool IsFailure(CallResult result);

// What was reported of one endpoint.
struct EndpointShare {
  std::string method;
  std::string pattern;  // "nodes/{}/network/{}": ids are left out, so that nodes and interfaces are one
  Implementation implementation = Implementation::kPerl;
  uint64_t reports = 0;
  uint64_t failures = 0;
  Duration longest{};
  Duration total{};
};

// What was reported since the phase changed, in memory: the last calls of the new implementation, and sums per endpoint. Owned by
// main. Any thread.
class OutcomeWindow {
 public:
  struct Options {
    size_t window = 100;              // calls of the new implementation that count for stepping back
    size_t least = 20;                // of them, before anything is decided; never more than the window has
    std::optional<double> step_back;  // the share of failures above which the phase goes back; none: it does not
    size_t most_endpoints = 1000;     // sums; what is beyond is summed up as "* **"
  };
  explicit OutcomeWindow(Options options) : options_(options) {}

  // A latency counts as one of 0 .. 24 h. True: too many of the last calls failed. Told once, until Clear or TellAgain.
  bool Report(const Endpoint& endpoint, Implementation implementation, CallResult result, Duration latency)
      ABSL_LOCKS_EXCLUDED(mu_);
  // "12 of the last 50 calls of the new implementation failed (24.0 %, at most 10.0 %)"
  std::string Describe() const ABSL_LOCKS_EXCLUDED(mu_);
  // Most failures first.
  std::vector<EndpointShare> Shares() const ABSL_LOCKS_EXCLUDED(mu_);
  // What was told came to nothing.
  void TellAgain() ABSL_LOCKS_EXCLUDED(mu_);
  // The phase is another one.
  void Clear() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  bool TooManyFailed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What is summed up of it; made where it is missing.
  EndpointShare& ShareOf(const std::string& method, const std::string& pattern, Implementation implementation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;

  mutable Mutex mu_;
  std::deque<bool> last_ ABSL_GUARDED_BY(mu_);  // failed or not, newest last
  size_t failures_ ABSL_GUARDED_BY(mu_) = 0;    // in last_
  bool told_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::string, EndpointShare> shares_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::migration
