// How long the bus takes to start with a journal full of events, and what a publish costs it then.
#include <cstdio>

#include "CLI/CLI.hpp"
#include "tests/bench/batch_publisher.h"
#include "tests/bench/bench_bus.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/load_generator.h"

namespace pvebus::bench {
namespace {

struct Options {
  size_t events = 1'000'000;
  size_t publishes = 2000;
  BenchBus::Options bus;
};

// Microseconds of a durable publish that nobody listens to, one at a time.
absl::StatusOr<double> PublishCost(BenchBus& bus, size_t publishes) {
  LoadGenerator generator(bus.channel(), 0);
  if (auto warm = generator.Run(1, publishes / 4); !warm.ok()) return warm.status();
  const auto measured = generator.Run(1, publishes);
  if (!measured.ok()) return measured.status();
  return static_cast<double>(measured->p50.count()) / 1e3;
}

absl::Status Run(Options options) {
  auto directory = BenchDirectory::Make();
  if (!directory.ok()) return directory.status();
  options.bus.directory = directory->path();
  auto bus = BenchBus::Start(options.bus);
  if (!bus.ok()) return bus.status();
  const auto empty = PublishCost(**bus, options.publishes);
  if (!empty.ok()) return empty.status();
  options.events -= options.events % BatchPublisher::kBatch;
  const auto filled = BatchPublisher((*bus)->channel()).Run(options.events, 4);
  if (!filled.ok()) return filled.status();
  if (auto status = (*bus)->CheckHolds(options.events); !status.ok()) return status;
  const double fill_peak = (*bus)->PeakMebibytes();
  if (auto status = (*bus)->Stop(); !status.ok()) return status;
  bus->reset();

  const auto begin = std::chrono::steady_clock::now();
  bus = BenchBus::Start(options.bus);
  if (!bus.ok()) return bus.status();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double open_peak = (*bus)->PeakMebibytes();
  const auto full = PublishCost(**bus, options.publishes);
  if (!full.ok()) return full.status();
  std::printf(
      "open events=%zu filled_per_s=%.0f fill_peak_mb=%.0f journal_mb=%.0f seconds=%.3f peak_mb=%.0f publish_empty_p50_us=%.0f "
      "publish_full_p50_us=%.0f\n",
      options.events, static_cast<double>(options.events) / filled->count(), fill_peak,
      static_cast<double>(std::filesystem::file_size(directory->path() + "/bus/journal.db")) / (1 << 20), took.count(), open_peak,
      *empty, *full);
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Starting with a journal full of events");
  Options options;
  app.add_option("--events", options.events, "In the journal")->check(CLI::Range(size_t{1000}, size_t{1'000'000'000}));
  app.add_option("--publishes", options.publishes, "Whose cost is measured before and after")
      ->check(CLI::Range(size_t{4}, size_t{1'000'000}));
  AddBusOptions(app, options.bus);
  CLI11_PARSE(app, argc, argv);
  const auto status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
