// A new listener reads a journal from its beginning.
#include <cstdio>

#include "CLI/CLI.hpp"
#include "tests/bench/batch_publisher.h"
#include "tests/bench/bench_bus.h"
#include "tests/bench/bench_directory.h"

namespace pvebus::bench {
namespace {

struct Options {
  size_t events = 1'000'000;
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
  const auto filled = BatchPublisher((*bus)->channel()).Run(options.events, 4);
  if (!filled.ok()) return filled.status();
  if (auto status = (*bus)->CheckHolds(options.events); !status.ok()) return status;
  const double fill_peak = (*bus)->PeakMebibytes();
  if (auto status = (*bus)->ForgetPeak(); !status.ok()) return status;

  const double cpu = (*bus)->CpuMicroseconds();
  const auto begin = std::chrono::steady_clock::now();
  if (auto status = (*bus)->AddListener({"newcomer", options.max_in_flight, true, options.events}); !status.ok()) return status;
  if (auto status = (*bus)->WaitSettled(std::chrono::minutes(10)); !status.ok()) return status;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto events = static_cast<double>(options.events);
  std::printf(
      "catch_up events=%zu filled_per_s=%.0f fill_peak_mb=%.0f events_per_s=%.0f seconds=%.2f bus_cpu_us_per_event=%.2f "
      "listener_cpu_us_per_event=%.2f peak_mb=%.0f\n",
      options.events, events / filled->count(), fill_peak, events / took.count(), took.count(),
      ((*bus)->CpuMicroseconds() - cpu) / events, (*bus)->ListenersCpuMicroseconds() / events, (*bus)->PeakMebibytes());
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("A new listener reads a journal from its beginning");
  Options options;
  app.add_option("--events", options.events, "In the journal")->check(CLI::Range(size_t{1000}, size_t{1'000'000'000}));
  app.add_option("--max-in-flight", options.max_in_flight, "Of the listener")->check(CLI::Range(1, 10'000));
  AddBusOptions(app, options.bus);
  CLI11_PARSE(app, argc, argv);
  const auto status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
