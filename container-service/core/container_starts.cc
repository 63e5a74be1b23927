#include "container-service/core/container_starts.h"

#include <algorithm>

namespace pvebus::container {

ContainerStarts::ContainerStarts(ContainerStartsOptions options) : options_(options), events_(options.remembered_events) {}

ContainerStarts::Start ContainerStarts::Record(uint32_t container, std::string_view event_id) {
  MutexLock lock(mu_);
  if (!events_.Insert(event_id)) {
    const auto known = containers_.find(container);
    return {.count = known == containers_.end() ? 0 : known->second.starts, .repeated = true};
  }
  Container& entry = containers_[container];
  ++entry.starts;
  entry.last_start = ++all_starts_;
  const Start start{.count = entry.starts};
  if (containers_.size() > options_.max_containers) ForgetOldest();
  return start;
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

void ContainerStarts::ForgetOldest() {
  containers_.erase(std::min_element(containers_.begin(), containers_.end(),
                                     [](const auto& a, const auto& b) { return a.second.last_start < b.second.last_start; }));
}

}  // namespace pvebus::container
