#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sdk/base/network.h"

namespace pvebus::network {

// The links of a snapshot, found without a search. Made for one look at it; the snapshot must outlive it. Any thread.
class KernelLinks {
 public:
  explicit KernelLinks(const NetworkSnapshot& snapshot);

  // Null when there is none.
  const Link* Find(std::string_view name) const;
  const Link* Find(int index) const;

  // The bridge, bond or VRF that the link belongs to; null: none.
  const Link* MasterOf(const Link& link) const { return Find(link.master_index); }
  // Those that belong to it, in the order of the snapshot.
  const std::vector<const Link*>& MembersOf(const Link& master) const;

 private:
  std::unordered_map<std::string_view, const Link*> by_name_;
  std::unordered_map<int, const Link*> by_index_;
  std::unordered_map<int, std::vector<const Link*>> members_;  // by the index of the master
};

}  // namespace pvebus::network
