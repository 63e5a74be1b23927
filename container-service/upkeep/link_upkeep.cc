#include "container-service/upkeep/link_upkeep.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"

namespace pvebus::container {
namespace {

// The start of a container without interfaces shows in no link.
constexpr std::chrono::seconds kAtLeastEvery{30};
constexpr std::chrono::seconds kRetry{1};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

LinkUpkeep::LinkUpkeep(LinkDuties duties, ContainerWatch watch, bool first, Logger& logger)
    : duties_(std::move(duties)),
      logger_(logger),
      watch_(std::move(watch)),
      first_(first),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

LinkUpkeep::~LinkUpkeep() = default;

void LinkUpkeep::OnLinksChanged() {
  MutexLock lock(mu_);
  due_ = true;
  changed_.NotifyAll();
}

void LinkUpkeep::Run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mu_);
    changed_.NotifyAll();
  });
  SteadyTime next{};
  while (Wait(stop, next)) next = Look();
}

bool LinkUpkeep::Wait(const std::stop_token& stop, SteadyTime until) {
  MutexLock lock(mu_);
  while (!stop.stop_requested() && !due_ && Now() < until) changed_.WaitUntil(mu_, until);
  due_ = false;
  return !stop.stop_requested();
}

SteadyTime LinkUpkeep::Look() {
  absl::StatusOr<NodeObservation> observation = duties_.observe();
  absl::Status status = observation.status();
  if (status.ok()) {
    observation->time = Now();
    status = Conclude(*observation);
  }
  LogState(status);
  if (!status.ok()) return Now() + kRetry;
  return std::min(watch_.NextLook(), Now() + kAtLeastEvery);
}

absl::Status LinkUpkeep::Conclude(const NodeObservation& observation) {
  if (first_) {
    watch_.AcceptAll(observation);
    unsaved_ = true;
  } else if (absl::Status status = TellOf(watch_.Observe(observation)); !status.ok()) {
    return status;
  }
  if (!unsaved_) return absl::OkStatus();
  if (absl::Status status = duties_.keep(watch_.known()); !status.ok()) return status;
  unsaved_ = false;
  if (first_) logger_.Info("watch=begun containers=%d", watch_.known().size());
  first_ = false;
  return absl::OkStatus();
}

absl::Status LinkUpkeep::TellOf(const std::vector<WatchConclusion>& conclusions) {
  if (conclusions.empty()) return absl::OkStatus();
  std::vector<Occurrence> occurrences;
  for (const WatchConclusion& conclusion : conclusions) {
    occurrences.insert(occurrences.end(), conclusion.occurrences.begin(), conclusion.occurrences.end());
  }
  if (absl::Status status = duties_.tell(occurrences); !status.ok()) return status;
  for (const WatchConclusion& conclusion : conclusions) watch_.Accept(conclusion);
  unsaved_ = true;
  for (const auto& [what, request_id] : occurrences) {
    logger_.Info("container=%d event=%s interface=%s before=%s after=%s", what.container_id,
                 std::string(LifecycleWord(what.kind)), what.interface, what.before, what.after);
  }
  return absl::OkStatus();
}

void LinkUpkeep::LogState(const absl::Status& status) {
  if (status.ok() != failing_) return;
  failing_ = !status.ok();
  if (failing_) {
    logger_.Warning("watch=failing message=\"%s\"", absl::CEscape(std::string(status.message())));
  } else {
    logger_.Info("watch=resumed");
  }
}

}  // namespace pvebus::container
