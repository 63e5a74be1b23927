#include "network-service/core/kernel_links.h"

namespace pvebus::network {
namespace {

template <typename Map, typename Key>
const Link* FindIn(const Map& map, const Key& key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : it->second;
}

}  // namespace

KernelLinks::KernelLinks(const NetworkSnapshot& snapshot) {
  for (const Link& link : snapshot.links) {
    by_name_.try_emplace(link.name, &link);
    by_index_.try_emplace(link.index, &link);
    if (link.master_index != 0) members_[link.master_index].push_back(&link);
  }
}

const Link* KernelLinks::Find(std::string_view name) const { return FindIn(by_name_, name); }

const Link* KernelLinks::Find(int index) const { return index == 0 ? nullptr : FindIn(by_index_, index); }

const std::vector<const Link*>& KernelLinks::MembersOf(const Link& master) const {
  static const auto& none = *new std::vector<const Link*>();
  const auto it = members_.find(master.index);
  return it == members_.end() ? none : it->second;
}

}  // namespace pvebus::network
