#pragma once

#include <string>

namespace pvebus::testing {

// Debian's ifupdown2, as deploy/packages.sh --tests unpacked it, on a User Mode Linux over this machine's files: a layer of
// memory over /etc has /etc/network, and the machine keeps its own. For the rest of the process, and all that it starts. One
// thread.
class Ifupdown2 {
 public:
  // Why there can be none here; empty: there can.
  static std::string WhyNot();

  // Requires: there can be one.
  Ifupdown2();

  // "ifreload", "ifup", "ifquery", "ifdown"; for a search path that has Debian's python3.
  std::string Program(const std::string& name) const;
  // Runs `ifreload -a`, which must succeed, as an operator does.
  void Reload() const;
  // It has never configured anything, and nothing is configured.
  void Reset() const;
};

}  // namespace pvebus::testing
