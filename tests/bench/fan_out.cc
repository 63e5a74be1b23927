// Batches of events to three listener processes that acknowledge everything, all of it durable.
#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "tests/bench/batch_publisher.h"
#include "tests/bench/bench_bus.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/measure.h"

namespace pvebus::bench {
namespace {

struct Options {
  size_t events = 1'000'000;
  size_t outstanding = 4;
  int max_in_flight = 4000;
  BenchBus::Options bus;
};

absl::Status Run(Options options) {
  auto directory = BenchDirectory::Make();
  if (!directory.ok()) return directory.status();
  options.bus.directory = directory->path();
  auto bus = BenchBus::Start(options.bus);
  if (!bus.ok()) return bus.status();
  options.events -= options.events % BatchPublisher::kBatch;
  for (int i = 0; i < kListeners; ++i) {
    const BenchBus::ListenerOptions listener{absl::StrCat("listener-", i), options.max_in_flight, false, options.events};
    if (auto status = (*bus)->AddListener(listener); !status.ok()) return status;
  }
  BatchPublisher publisher((*bus)->channel());
  const double cpu = (*bus)->CpuMicroseconds();
  const auto begin = std::chrono::steady_clock::now();
  const auto published = publisher.Run(options.events, options.outstanding);
  if (!published.ok()) return published.status();
  if (auto status = (*bus)->WaitSettled(std::chrono::minutes(10)); !status.ok()) return status;
  const std::chrono::duration<double> settled = std::chrono::steady_clock::now() - begin;
  const auto events = static_cast<double>(options.events);
  std::printf(
      "fan_out events=%zu listeners=%d outstanding=%zu published_per_s=%.0f events_per_s=%.0f deliveries_per_s=%.0f "
      "bus_cpu_us_per_event=%.2f listeners_cpu_us_per_event=%.2f peak_mb=%.0f\n",
      options.events, kListeners, options.outstanding, events / published->count(), events / settled.count(),
      kListeners * events / settled.count(), ((*bus)->CpuMicroseconds() - cpu) / events,
      (*bus)->ListenersCpuMicroseconds() / events, (*bus)->PeakMebibytes());
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Batches of events to three listeners, durable");
  Options options;
  app.add_option("--events", options.events, "So many in all")->check(CLI::Range(size_t{1000}, size_t{1'000'000'000}));
  app.add_option("--outstanding", options.outstanding, "Batches of 1,000 at any time")->check(CLI::Range(size_t{1}, size_t{64}));
  app.add_option("--max-in-flight", options.max_in_flight, "Of each listener")->check(CLI::Range(1, 10'000));
  AddBusOptions(app, options.bus);
  CLI11_PARSE(app, argc, argv);
  const auto status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
