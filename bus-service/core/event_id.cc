#include "bus-service/core/event_id.h"

#include "absl/strings/str_format.h"

namespace pvebus::bus {

std::string MakeEventId(SystemTime time, Random& random) {
  const auto milliseconds =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count()) &
      0xffffffffffff;
  const uint64_t a = random.Next();
  const uint64_t b = random.Next();
  return absl::StrFormat("%08x-%04x-7%03x-%04x-%012x", milliseconds >> 16, milliseconds & 0xffff, a & 0xfff,
                         0x8000 | (b >> 48 & 0x3fff), b & 0xffffffffffff);
}

}  // namespace pvebus::bus
