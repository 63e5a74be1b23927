#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/route_map.h"
#include "sdk/base/backoff.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/base/random.h"

namespace pvebus::migration {

// Brings the route table to the phase in force where that failed before: nginx may start after this service, and no event tells
// of that. Owned by main. Has a thread of its own.
class RouteMapUpkeep {
 public:
  struct Parts {
    const MigrationState& state;
    RouteMap& map;
    Logger& logger;
    Random& random;
  };
  // Between a look and the next one, longer after each that did not help. Requires: the parts outlive it.
  static constexpr BackoffPolicy kWaits{.minimum = std::chrono::seconds(5), .maximum = std::chrono::minutes(5)};
  explicit RouteMapUpkeep(const Parts& parts, const BackoffPolicy& waits = kWaits);
  ~RouteMapUpkeep();
  RouteMapUpkeep(const RouteMapUpkeep&) = delete;
  RouteMapUpkeep& operator=(const RouteMapUpkeep&) = delete;

 private:
  void Run(const std::stop_token& stop, const BackoffPolicy& waits);
  // False: it failed again.
  bool Bring(const std::stop_token& stop);

  const Parts parts_;

  Mutex mu_;
  CondVar changed_;
  std::jthread thread_;  // last: it ends before the others go
};

}  // namespace pvebus::migration
