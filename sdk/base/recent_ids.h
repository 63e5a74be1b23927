#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

namespace pvebus {

// The last `capacity` different ids that were seen: tells what comes again from what is new, in bounded memory. One thread.
class RecentIds {
 public:
  // Requires: capacity > 0.
  explicit RecentIds(size_t capacity) : capacity_(capacity) {}

  // True when `id` is not among the remembered ones; it is from now on, and the oldest is forgotten when there are too many.
  bool Insert(std::string_view id) {
    if (!known_.emplace(id).second) return false;
    order_.emplace_back(id);
    if (order_.size() > capacity_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

  bool Contains(std::string_view id) const { return known_.contains(std::string(id)); }
  size_t size() const { return order_.size(); }

 private:
  const size_t capacity_;
  std::unordered_set<std::string> known_;
  std::deque<std::string> order_;  // oldest first
};

}  // namespace pvebus
