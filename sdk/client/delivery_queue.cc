#include "sdk/client/delivery_queue.h"

#include <cassert>
#include <utility>

namespace pvebus::client {

void DeliveryQueue::Add(std::unique_ptr<Work> work) {
  const auto [key, is_free] = busy_.try_emplace(work->key());
  (is_free ? ready_ : key->second).push_back(std::move(work));
}

std::unique_ptr<Work> DeliveryQueue::Take() {
  if (ready_.empty()) return nullptr;
  std::unique_ptr<Work> work = std::move(ready_.front());
  ready_.pop_front();
  return work;
}

void DeliveryQueue::Finish(const Work& work) {
  const auto key = busy_.find(work.key());
  assert(key != busy_.end());
  if (key->second.empty()) {
    busy_.erase(key);
  } else {
    ready_.push_back(std::move(key->second.front()));
    key->second.pop_front();
  }
}

std::vector<std::unique_ptr<Work>> DeliveryQueue::DropWaiting() {
  std::vector<std::unique_ptr<Work>> dropped;
  for (auto& [key, waiting] : busy_) {
    for (auto& work : waiting) dropped.push_back(std::move(work));
    waiting.clear();
  }
  for (auto& work : ready_) {
    busy_.erase(work->key());
    dropped.push_back(std::move(work));
  }
  ready_.clear();
  return dropped;
}

}  // namespace pvebus::client
