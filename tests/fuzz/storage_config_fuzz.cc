#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage-service/core/storage_config.h"
#include "storage-service/core/testing/soundness.h"
#include "tests/fuzz/fuzz_test.h"

// Any bytes as a storage.cfg: no crash, and what is promised of the result.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  pvebus::testing::RequireKept(pvebus::storage::WhyUnsound(pvebus::storage::ParseStorageConfig(text), text));
  return 0;
}
