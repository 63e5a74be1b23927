#pragma once

#include <string>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace pvebus::bench {

struct MeasureOptions {
  size_t latency_publishes = 5000;
  size_t rate_publishes = 30000;
  size_t outstanding = 64;
  size_t silences = 3;  // publishes after silence_seconds without any
  size_t silence_seconds = 2;
};

void AddMeasureOptions(CLI::App& app, MeasureOptions& options);

inline constexpr int kListeners = 3;

// Publishes to `address`, first one at a time, then with many outstanding, and prints one line
// `NAME p50_us=... p99_us=... rate=... loaded_p50_us=... loaded_p99_us=... after_silence_us=...`.
absl::Status Measure(const std::string& name, const std::string& address, const MeasureOptions& options);

}  // namespace pvebus::bench
