#include "tests/bench/measure.h"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "grpcpp/create_channel.h"
#include "tests/bench/load_generator.h"

namespace pvebus::bench {
namespace {

double Microseconds(std::chrono::nanoseconds duration) { return static_cast<double>(duration.count()) / 1e3; }

}  // namespace

void AddMeasureOptions(CLI::App& app, MeasureOptions& options) {
  app.add_option("--latency-publishes", options.latency_publishes, "Publishes one at a time");
  app.add_option("--rate-publishes", options.rate_publishes, "Publishes with many outstanding");
  app.add_option("--outstanding", options.outstanding, "So many");
  app.add_option("--silences", options.silences, "Publishes after a silence");
  app.add_option("--silence", options.silence_seconds, "Seconds of each silence");
}

absl::Status Measure(const std::string& name, const std::string& address, const MeasureOptions& options) {
  LoadGenerator generator(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()), kListeners);
  if (auto warm = generator.Run(options.outstanding, options.rate_publishes / 10); !warm.ok()) return warm.status();
  if (auto warm = generator.Run(1, options.latency_publishes / 10); !warm.ok()) return warm.status();
  const auto alone = generator.Run(1, options.latency_publishes);
  if (!alone.ok()) return alone.status();
  const auto loaded = generator.Run(options.outstanding, options.rate_publishes);
  if (!loaded.ok()) return loaded.status();
  std::vector<std::chrono::nanoseconds> after_silence;
  for (size_t i = 0; i < options.silences; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(options.silence_seconds));  // The silence is what is measured.
    const auto first = generator.Run(1, 1);
    if (!first.ok()) return first.status();
    after_silence.push_back(first->p50);
  }
  std::sort(after_silence.begin(), after_silence.end());
  std::printf("%s p50_us=%.0f p99_us=%.0f rate=%.0f loaded_p50_us=%.0f loaded_p99_us=%.0f after_silence_us=%.0f\n", name.c_str(),
              Microseconds(alone->p50), Microseconds(alone->p99), loaded->per_second, Microseconds(loaded->p50),
              Microseconds(loaded->p99), after_silence.empty() ? 0.0 : Microseconds(after_silence[after_silence.size() / 2]));
  return absl::OkStatus();
}

}  // namespace pvebus::bench
