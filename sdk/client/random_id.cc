#include "sdk/client/random_id.h"

#include "absl/strings/str_format.h"

namespace pvebus::client {

std::string RandomId(Random& random) {
  const uint64_t high = random.Next();
  return absl::StrFormat("%016x%016x", high, random.Next());
}

}  // namespace pvebus::client
