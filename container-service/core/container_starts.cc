#include "container-service/core/container_starts.h"

#include <algorithm>

namespace pvebus::container {

ContainerStarts::ContainerStarts(ContainerStartsOptions options) : options_(options), events_(options.remembered_events) {}

ContainerStarts::Start ContainerStarts::Record(uint32_t container, std::string_view event_id, bool counted_before) {
  MutexLock lock(mu_);
  if (counted_before || !events_.Insert(event_id)) {
    const auto known = containers_.find(container);
    return {.count = known == containers_.end() ? 0 : known->second.starts, .repeated = true};
  }
  Container& entry = containers_[container];
  ++entry.starts;
  entry.last_start = ++all_starts_;
  const uint64_t count = entry.starts;
  return {.count = count, .forgotten = ForgetOldest()};
}

void ContainerStarts::Restore(uint32_t container, uint64_t starts) {
  MutexLock lock(mu_);
  containers_[container] = {.starts = starts, .last_start = ++all_starts_};
  ForgetOldest();
}

uint64_t ContainerStarts::CountOf(uint32_t container) const {
  MutexLock lock(mu_);
  const auto known = containers_.find(container);
  return known == containers_.end() ? 0 : known->second.starts;
}

size_t ContainerStarts::container_count() const {
  MutexLock lock(mu_);
  return containers_.size();
}

std::optional<uint32_t> ContainerStarts::ForgetOldest() {
  if (containers_.size() <= options_.max_containers) return std::nullopt;
  const auto oldest = std::min_element(containers_.begin(), containers_.end(),
                                       [](const auto& a, const auto& b) { return a.second.last_start < b.second.last_start; });
  const uint32_t container = oldest->first;
  containers_.erase(oldest);
  return container;
}

}  // namespace pvebus::container
