#include "network-service/core/dependency_cycles.h"

#include <algorithm>
#include <map>
#include <set>

namespace pvebus::network {
namespace {

// A depth-first search without recursion: a chain may be as long as there are interfaces. One thread.
class CycleSearch {
 public:
  explicit CycleSearch(const Interfaces& interfaces) : interfaces_(interfaces) {}

  std::vector<std::vector<std::string>> Find() {
    for (const auto& [name, interface] : interfaces_) {
      Enter(name);
      while (!way_.empty()) Step();
    }
    return std::move(cycles_);
  }

 private:
  struct Stop {
    std::string name;
    std::set<std::string> left;  // the lower links that were not looked at yet
  };

  void Enter(const std::string& name) {
    const auto interface = interfaces_.find(name);
    if (interface == interfaces_.end() || !seen_.insert(name).second) return;
    depth_[name] = way_.size();
    way_.push_back({name, LowerLinks(interface->second)});
  }

  void Step() {
    Stop& stop = way_.back();
    if (stop.left.empty()) {
      depth_.erase(stop.name);
      way_.pop_back();
      return;
    }
    const std::string next = std::move(stop.left.extract(stop.left.begin()).value());
    const auto on_way = depth_.find(next);
    if (on_way == depth_.end()) return Enter(next);
    TakeCycle(on_way->second);
  }

  void TakeCycle(size_t begin) {
    std::vector<std::string> cycle;
    for (size_t i = begin; i < way_.size(); ++i) {
      if (!in_cycle_.insert(way_[i].name).second) return;
      cycle.push_back(way_[i].name);
    }
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    cycles_.push_back(std::move(cycle));
  }

  const Interfaces& interfaces_;
  std::set<std::string> seen_;
  std::set<std::string> in_cycle_;
  std::vector<Stop> way_;
  std::map<std::string, size_t> depth_;  // of those on the way
  std::vector<std::vector<std::string>> cycles_;
};

}  // namespace

std::vector<std::vector<std::string>> DependencyCycles(const Interfaces& interfaces) { return CycleSearch(interfaces).Find(); }

}  // namespace pvebus::network
