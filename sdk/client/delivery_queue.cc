#include "sdk/client/delivery_queue.h"

#include <cassert>
#include <utility>

namespace pvebus::client {

void DeliveryQueue::Add(std::unique_ptr<Work> work) {
  const auto [key, is_free] = busy_.try_emplace(work->key());
  if (is_free) return ready_.push_back(std::move(work));
  Waiting& waiting = key->second;
  Work* const last = work.get();
  (waiting.first ? waiting.last->next : waiting.first) = std::move(work);
  waiting.last = last;
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
  std::unique_ptr<Work> first = std::move(key->second.first);
  if (!first) return void(busy_.erase(key));
  key->second.first = std::move(first->next);
  ready_.push_back(std::move(first));
}

std::vector<std::unique_ptr<Work>> DeliveryQueue::DropWaiting() {
  std::vector<std::unique_ptr<Work>> dropped;
  for (auto& [key, waiting] : busy_) {
    while (std::unique_ptr<Work> work = std::move(waiting.first)) {
      waiting.first = std::move(work->next);
      dropped.push_back(std::move(work));
    }
  }
  for (auto& work : ready_) {
    busy_.erase(work->key());
    dropped.push_back(std::move(work));
  }
  ready_.clear();
  return dropped;
}

}  // namespace pvebus::client
