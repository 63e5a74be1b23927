#include "sdk/base/network.h"

namespace pvebus {

const Link* NetworkSnapshot::Find(std::string_view name) const {
  for (const Link& link : links) {
    if (link.name == name) return &link;
  }
  return nullptr;
}

const Link* NetworkSnapshot::Find(int index) const {
  for (const Link& link : links) {
    if (link.index == index) return &link;
  }
  return nullptr;
}

}  // namespace pvebus
