#include "storage-service/host/probe/tcp_prober.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/posix/fd.h"
#include "storage-service/host/probe/connect_attempt.h"
#include "storage-service/host/probe/name_lookups.h"

namespace pvebus::storage {
namespace {

constexpr std::array<uint16_t, 2> kMonitorPorts = {3300, 6789};

// The better the higher. What could not be tried might have been any of those below it.
int Worth(Reachability reachability) {
  switch (reachability) {
    case Reachability::kUnresolved:
      return 0;
    case Reachability::kUnreachable:
      return 1;
    case Reachability::kTimedOut:
      return 2;
    case Reachability::kRefused:
      return 3;
    case Reachability::kUnknown:
      return 4;
    case Reachability::kReachable:
      return 5;
  }
  return 0;
}

// One Probe. One thread, one use.
class ProbeRun {
 public:
  ProbeRun(const TcpProber::Options& options, const Clock& clock, const std::vector<ProbeTarget>& targets)
      : options_(options),
        clock_(clock),
        targets_(targets),
        deadline_(clock.SteadyNow() + options.limit),
        limit_text_(absl::StrFormat("%g s", std::chrono::duration<double>(options.limit).count())),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        progress_(targets.size()) {}

  std::vector<ProbeResult> Run(const std::stop_token& stop) {
    const std::stop_callback on_stop(stop, [fd = wake_.get()] { eventfd_write(fd, 1); });
    for (size_t i = 0; i < targets_.size(); ++i) Begin(i);
    while (!stop.stop_requested() && clock_.SteadyNow() < deadline_) {
      StartWaiting();
      if (started_.empty() && AllSettled()) break;
      Poll();
    }
    GiveUp(stop.stop_requested());
    std::vector<ProbeResult> results;
    for (size_t i = 0; i < targets_.size(); ++i) results.push_back(Conclude(i));
    return results;
  }

 private:
  struct Attempt {
    size_t target = 0;
    IpAddress address;
    uint16_t port = 0;
    SteadyTime begun{};
    std::unique_ptr<ConnectAttempt> connection;
  };
  struct Progress {
    std::optional<ProbeResult> best;
    int lookups = 0;  // that have not ended
    int attempts = 0;
    std::string why_unresolved;

    bool reached() const { return best && best->reachability == Reachability::kReachable; }
    bool settled() const { return reached() || (lookups == 0 && attempts == 0); }
  };

  void Begin(size_t target) {
    const std::string& host = targets_[target].endpoint.host;
    if (const auto address = ParseIpAddress(host)) return Want(target, {*address});
    if (!lookups_) lookups_.emplace(options_.dns_servers);
    if (!lookups_->error().empty()) {
      progress_[target].best = {.message = "could not be looked up: " + lookups_->error()};
      return;
    }
    progress_[target].lookups = 2;
    lookups_->Start(host, [this, target](const std::vector<IpAddress>& addresses, const std::string& why) {
      Progress& progress = progress_[target];
      --progress.lookups;
      // That it has none of one kind says less than any other reason.
      if (progress.why_unresolved.empty() || progress.why_unresolved == "it has no address") progress.why_unresolved = why;
      Want(target, addresses);
    });
  }

  void Want(size_t target, const std::vector<IpAddress>& addresses) {
    const std::optional<uint16_t> port = targets_[target].endpoint.port;
    for (const IpAddress& address : addresses) {
      if (port) {
        waiting_.push_back({target, address, *port});
      } else {
        for (const uint16_t monitor_port : kMonitorPorts) waiting_.push_back({target, address, monitor_port});
      }
      progress_[target].attempts += port ? 1 : static_cast<int>(kMonitorPorts.size());
    }
  }

  void StartWaiting() {
    while (!waiting_.empty() && started_.size() < options_.most_sockets) {
      Attempt attempt = std::move(waiting_.front());
      waiting_.pop_front();
      attempt.begun = clock_.SteadyNow();
      attempt.connection = std::make_unique<ConnectAttempt>(attempt.address, attempt.port, targets_[attempt.target].greeting);
      if (!progress_[attempt.target].reached()) attempt.connection->Start();
      started_.push_back(std::move(attempt));
      if (IsOver(started_.back())) {
        Note(started_.back());
        started_.pop_back();
      }
    }
  }

  bool IsOver(const Attempt& attempt) const { return attempt.connection->done() || progress_[attempt.target].reached(); }

  bool AllSettled() const {
    return waiting_.empty() && std::all_of(progress_.begin(), progress_.end(), [](const Progress& p) { return p.settled(); });
  }

  void Poll() {
    polled_.assign({{wake_.get(), POLLIN, 0}});
    for (const Attempt& attempt : started_) polled_.push_back({attempt.connection->fd(), attempt.connection->events(), 0});
    const size_t lookups_at = polled_.size();
    Duration wait = deadline_ - clock_.SteadyNow();
    if (lookups_) {
      lookups_->AppendTo(polled_);
      wait = lookups_->UntilNextTimer(wait);
    }
    const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, Duration::zero())).count();
    if (poll(polled_.data(), polled_.size(), static_cast<int>(wait_ms)) < 0) return;
    size_t at = 1;
    for (Attempt& attempt : started_) {
      if (polled_[at++].revents != 0) attempt.connection->OnReady();
    }
    for (auto it = started_.begin(); it != started_.end();) {
      if (it->connection->done()) Note(*it);
      it = IsOver(*it) ? started_.erase(it) : std::next(it);
    }
    if (lookups_) lookups_->OnPolled(polled_.data() + lookups_at, polled_.size() - lookups_at);
  }

  void GiveUp(bool stopped) {
    for (Attempt& attempt : started_) {
      if (stopped) {
        attempt.connection->Abandon("was not tried to the end: the check was stopped");
      } else {
        attempt.connection->TimeOut(limit_text_);
      }
      Note(attempt);
    }
    for (const Attempt& attempt : waiting_) {
      NoteResult(attempt.target, {.address = attempt.address.ToString(),
                                  .port = attempt.port,
                                  .message = absl::StrFormat("was not tried within %s: %d others did not end", limit_text_,
                                                             options_.most_sockets)});
    }
  }

  void Note(const Attempt& attempt) {
    --progress_[attempt.target].attempts;
    if (!attempt.connection->done()) return;
    NoteResult(attempt.target, {.reachability = attempt.connection->reachability(),
                                .address = attempt.address.ToString(),
                                .port = attempt.port,
                                .latency = clock_.SteadyNow() - attempt.begun,
                                .message = attempt.connection->message()});
  }

  void NoteResult(size_t target, ProbeResult result) {
    std::optional<ProbeResult>& best = progress_[target].best;
    if (!best || Worth(result.reachability) > Worth(best->reachability)) best = std::move(result);
  }

  ProbeResult Conclude(size_t target) const {
    const Progress& progress = progress_[target];
    if (progress.best) return *progress.best;
    const std::string why = progress.lookups > 0 ? "DNS did not answer within " + limit_text_ : progress.why_unresolved;
    return {.reachability = Reachability::kUnresolved, .message = "is not resolved: " + why};
  }

  const TcpProber::Options& options_;
  const Clock& clock_;
  const std::vector<ProbeTarget>& targets_;
  const SteadyTime deadline_;
  const std::string limit_text_;
  const Fd wake_;
  std::vector<Progress> progress_;  // per target
  std::deque<Attempt> waiting_;
  std::list<Attempt> started_;
  std::vector<pollfd> polled_;
  std::optional<NameLookups> lookups_;
};

}  // namespace

std::vector<ProbeResult> TcpProber::Probe(const std::vector<ProbeTarget>& targets, const std::stop_token& stop) const {
  return ProbeRun(options_, clock_, targets).Run(stop);
}

}  // namespace pvebus::storage
