#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "migration-service/core/route_map.h"
#include "migration-service/core/route_table.h"
#include "sdk/base/mutex.h"
#include "sdk/programs/program_runner.h"

namespace pvebus::migration {

// The file that nginx includes in its http context. Owned by main. Any thread. Requires what ProgramRunner does.
class NginxRouteMap final : public RouteMap {
 public:
  struct Options {
    std::string path;                              // absolute
    bool check = true;                             // with `nginx -t`, before nginx is told
    bool reload = false;                           // `nginx -s reload`
    std::string nginx = "/usr/sbin/nginx";         // absolute
    std::string nginx_config;                      // absolute; empty: nginx's own default
    std::chrono::milliseconds time_limit{10'000};  // of each run of nginx
  };
  // Requires: `table` outlives it.
  NginxRouteMap(Options options, const RouteTable& table);

  RouteMapUpdate Bring(Phase phase, const std::stop_token& stop) override ABSL_LOCKS_EXCLUDED(bringing_, mu_);
  RouteMapStatus status() const override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  RouteMapUpdate BringInTurn(Phase phase, const std::stop_token& stop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(bringing_);
  absl::Status RunNginx(std::vector<std::string> arguments, const std::stop_token& stop);
  // Nothing: there is none.
  absl::StatusOr<std::optional<std::string>> Read() const;
  // Atomically, and on the disk when it returns OK. Nothing: takes it away.
  absl::Status Write(const std::optional<std::string>& text) const;

  const Options options_;
  const RouteTable& table_;
  ProgramRunner programs_;

  Mutex bringing_;                                // held for a whole Bring
  bool told_ ABSL_GUARDED_BY(bringing_) = false;  // nginx has what the file says: not known of another process' file
  mutable Mutex mu_;
  RouteMapStatus status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace pvebus::migration
