// The real bus in the floor's shape: bus-service, three listener processes that use the SDK, and the same publisher.
#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "tests/bench/bench_bus.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/measure.h"

namespace pvebus::bench {
namespace {

absl::Status Run(BenchBus::Options options, const MeasureOptions& measure) {
  auto directory = BenchDirectory::Make();
  if (!directory.ok()) return directory.status();
  options.directory = directory->path();
  const auto bus = BenchBus::Start(options);
  if (!bus.ok()) return bus.status();
  for (int i = 0; i < kListeners; ++i) {
    if (auto status = (*bus)->AddListener({.name = absl::StrCat("listener-", i)}); !status.ok()) return status;
  }
  const auto status = Measure("publish_gather_" + options.journal, (*bus)->address(), measure);
  if (!status.ok()) std::fprintf(stderr, "%s\n", (*bus)->StandardError().c_str());
  return status;
}

int Main(int argc, char** argv) {
  CLI::App app("The real bus in the floor's shape");
  BenchBus::Options options{.journal = "memory"};
  MeasureOptions measure;
  app.add_option("--journal", options.journal, "Of the bus")->check(CLI::IsMember({"memory", "sqlite"}))->capture_default_str();
  AddBusOptions(app, options);
  AddMeasureOptions(app, measure);
  CLI11_PARSE(app, argc, argv);
  const auto status = Run(options, measure);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
