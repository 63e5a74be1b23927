#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "network-service/core/testing/memory_files.h"
#include "network-service/core/testing/network_soundness.h"
#include "tests/fuzz/fuzz_test.h"

// Any bytes as an interfaces file: no crash, and what is promised of the result. What stands behind the first 0xff is a file that
// may be sourced, as `x`; it is the old configuration, too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using pvebus::network::Understand;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\xff'), text.size());
  const std::string main(text.substr(0, end));
  const std::string other(text.substr(std::min(end + 1, text.size())));
  const auto after = Understand(main, {{"/etc/network/x", other}});
  pvebus::testing::RequireKept(pvebus::network::WhyUnsound(after, (1 + main.size()) * (1 + other.size())));
  pvebus::testing::RequireKept(pvebus::network::WhyUnsound(Understand(other), after));
  return 0;
}
