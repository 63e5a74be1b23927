#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "network-service/core/diagnostic.h"
#include "network-service/core/interface.h"

namespace pvebus::network {

// One iface stanza, understood line by line but not as a whole. A value.
struct Stanza {
  enum class Family { kNone, kInet, kInet6 };
  struct Option {
    std::string name;   // canonical
    std::string value;  // not empty
    size_t line = 0;
  };

  std::string name;
  Family family = Family::kNone;
  Method method = Method::kNone;
  Place place;
  std::vector<Option> options;
};

// The method of this name, where a family can have it.
std::optional<Method> ParseMethod(Stanza::Family family, std::string_view name);
// The names that a family can have, for messages.
std::string MethodsOf(Stanza::Family family);

// Why no interface can have this name, and what would be right; empty when one can.
std::string WhyNoInterfaceName(std::string_view name);

// The same for two stanzas that say the same, in whatever order.
std::string FingerprintOf(const Stanza& stanza);

}  // namespace pvebus::network
