#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace pvebus::testing {

// Ends the fuzzer, which then keeps the input, when a promise is broken: `why` is not empty.
inline void RequireKept(const std::string& why) {
  if (why.empty()) return;
  std::fprintf(stderr, "BROKEN PROMISE: %s\n", why.c_str());
  std::abort();
}

}  // namespace pvebus::testing
