#include "storage-service/core/repair_budget.h"

namespace pvebus::storage {

bool RepairBudget::Take(const std::string& storage_id) {
  const SteadyTime now = clock_.SteadyNow();
  MutexLock lock(mu_);
  Spent& spent = spent_[storage_id];
  while (!spent.repairs.empty() && spent.repairs.front() + kWithin <= now) spent.repairs.pop_front();
  spent.contested = spent.contested || spent.repairs.size() >= kMostRepairs;
  if (spent.contested) return false;
  spent.repairs.push_back(now);
  return true;
}

void RepairBudget::PutBack(const std::string& storage_id) {
  MutexLock lock(mu_);
  // GiveBack may have come between.
  const auto it = spent_.find(storage_id);
  if (it != spent_.end() && !it->second.repairs.empty()) it->second.repairs.pop_back();
}

bool RepairBudget::IsContested(const std::string& storage_id) const {
  MutexLock lock(mu_);
  const auto it = spent_.find(storage_id);
  return it != spent_.end() && it->second.contested;
}

void RepairBudget::GiveBack(const std::string& storage_id) {
  MutexLock lock(mu_);
  spent_.erase(storage_id);
}

}  // namespace pvebus::storage
