#include <cstddef>
#include <cstdint>
#include <string_view>

#include "container-service/core/container_config.h"
#include "container-service/core/testing/container_soundness.h"
#include "tests/fuzz/fuzz_test.h"

// Any bytes as a container's file: no crash, and what is promised of the result.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const pvebus::Vnets kVnets{{"blue", {.zone = "z"}}, {"vmbr1", {.zone = "z"}}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  pvebus::testing::RequireKept(pvebus::container::WhyUnsound(pvebus::container::ParseContainerConfig(text, 101, kVnets), text));
  return 0;
}
