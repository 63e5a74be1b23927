#include "bus-service/store/id_hash.h"

#include <xxhash.h>

#include <chrono>

namespace pvebus::bus {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<int64_t> MillisOfUuid7(std::string_view id) {
  if (id.size() != 36 || id[8] != '-' || id[13] != '-' || id[14] != '7') return std::nullopt;
  int64_t millis = 0;
  for (size_t i = 0; i < 13; ++i) {
    if (i == 8) continue;
    const int value = HexValue(id[i]);
    if (value < 0) return std::nullopt;
    millis = millis << 4 | value;
  }
  return millis;
}

uint64_t IdHash::OfEventId(std::string_view id) const { return XXH3_64bits_withSeed(id.data(), id.size(), seed_); }

uint64_t IdHash::OfRequestId(std::string_view id) const { return XXH3_64bits_withSeed(id.data(), id.size(), ~seed_); }

void IdHash::AddEntries(const Event& event, std::vector<IdEntry>& entries) const {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(event.publish_time.time_since_epoch()).count() & 0xffffffffffff;
  if (MillisOfUuid7(event.event_id) != millis && !event.event_id.empty()) {
    entries.push_back({OfEventId(event.event_id), event.sequence});
  }
  if (!event.request_id.empty()) entries.push_back({OfRequestId(event.request_id), event.sequence});
}

}  // namespace pvebus::bus
