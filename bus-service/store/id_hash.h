#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bus-service/core/event.h"
#include "bus-service/store/segment_rows.h"

namespace pvebus::bus {

// Hashes of ids, seeded so that nobody outside can make two alike. A value; any thread.
class IdHash {
 public:
  explicit IdHash(uint64_t seed) : seed_(seed) {}

  uint64_t OfEventId(std::string_view id) const;
  uint64_t OfRequestId(std::string_view id) const;
  // What must be remembered to find this event by its ids. An id that the bus made is not among it: its time leads to the event.
  void AddEntries(const Event& event, std::vector<IdEntry>& entries) const;

 private:
  uint64_t seed_;
};

// The milliseconds since 1970 in a UUID version 7; nothing when it is none.
std::optional<int64_t> MillisOfUuid7(std::string_view id);

}  // namespace pvebus::bus
