// A node boots: all its containers start at once, and the hooks of all of them run. In a network namespace of its own (root, or
// user namespaces).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "tests/bench/bench_directory.h"
#include "tests/system/container_node.h"

namespace pvebus::bench {
namespace {

using std::chrono::steady_clock;
using testing::ContainerNode;

constexpr uint32_t kFirst = 101;

struct Options {
  uint32_t containers = 200;
  int programs = 2;
  int parallel = 8;
  bool kill = false;
};

// What the programs noted: "b 101 10-program" when one began, "e ..." when it ended.
struct Notes {
  size_t begun = 0;
  size_t ended = 0;
  size_t most_at_once = 0;
  size_t repeated = 0;  // ended for the same container more than once

  static Notes Read(const std::string& path) {
    Notes notes;
    std::set<std::string> seen;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("b ")) ++notes.begun;
      if (line.starts_with("e ")) {
        ++notes.ended;
        notes.repeated += seen.insert(line).second ? 0 : 1;
      }
      notes.most_at_once = std::max(notes.most_at_once, notes.begun - std::min(notes.begun, notes.ended));
    }
    return notes;
  }
};

void Prepare(ContainerNode& node, const Options& options) {
  std::ofstream batch(node.Folder("links"));
  batch << "link set lo up\nlink add vmbr0 type bridge\nlink set vmbr0 up\n";
  for (uint32_t id = kFirst; id < kFirst + options.containers; ++id) {
    node.WriteContainer(id, absl::StrFormat("hostname: ct%d\nnet0: name=eth0,bridge=vmbr0,ip=dhcp,type=veth\n", id));
    batch << absl::StrFormat("link add veth%1$di0 type veth peer name p%1$d\nlink set veth%1$di0 master vmbr0 up\n", id);
  }
  batch.close();
  testing::Sh("ip -batch " + node.Folder("links"));
  for (int i = 0; i < options.programs; ++i) {
    const std::string name = absl::StrFormat("%d0-program", i + 1);
    node.WriteProgram(name, absl::StrFormat("echo \"b $1 %1$s\" >>%2$s; cat >/dev/null; echo \"e $1 %1$s\" >>%2$s\n", name,
                                            node.Folder("notes")));
  }
}

absl::Status KillInTheMiddle(ContainerNode& node, const Options& options) {
  const auto deadline = steady_clock::now() + std::chrono::minutes(2);
  while (Notes::Read(node.Folder("notes")).ended < options.containers * static_cast<size_t>(options.programs) / 2) {
    if (steady_clock::now() > deadline) return absl::DeadlineExceededError("half of the programs did not end");
  }
  node.Kill();
  node.Start();
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  auto network = testing::NetworkNamespace::Enter();
  if (!network.ok()) return network.status();
  auto directory = BenchDirectory::Make();
  if (!directory.ok()) return directory.status();
  testing::Sh("ip link set lo up");
  ContainerNode node({"--no-watch-links", "--parallel-programs", std::to_string(options.parallel)},
                     {"--data-dir", directory->path()});
  Prepare(node, options);

  const auto begin = steady_clock::now();
  std::vector<std::string> event_ids;
  for (uint32_t id = kFirst; id < kFirst + options.containers; ++id) {
    event_ids.push_back(node.bus().PublishDurable(testing::ContainerStartedEvent(id)));
  }
  const std::chrono::duration<double> published = steady_clock::now() - begin;
  if (options.kill) {
    if (auto status = KillInTheMiddle(node, options); !status.ok()) return status;
  }
  size_t unsettled = 0;
  for (const std::string& event_id : event_ids) {
    const auto result = node.bus().Result(event_id, bus::v1::WAIT_POLICY_SETTLED);
    unsettled += result.outcome() == bus::v1::PUBLISH_OUTCOME_SUCCEEDED ? 0 : 1;
  }
  const std::chrono::duration<double> settled = steady_clock::now() - begin;
  const Notes notes = Notes::Read(node.Folder("notes"));
  std::printf(
      "container_burst containers=%u programs=%d killed=%d published_s=%.2f settled_s=%.2f containers_per_s=%.0f "
      "programs_ended=%zu "
      "repeated=%zu most_at_once=%zu unsettled=%zu service_mb=%.0f\n",
      options.containers, options.programs, options.kill ? 1 : 0, published.count(), settled.count(),
      options.containers / settled.count(), notes.ended, notes.repeated, notes.most_at_once, unsettled,
      static_cast<double>(node.service().ResidentBytes()) / (1 << 20));
  return unsettled == 0 ? absl::OkStatus() : absl::InternalError("not all events have succeeded");
}

int Main(int argc, char** argv) {
  CLI::App app("All containers of a node start at once");
  Options options;
  app.add_option("--containers", options.containers, "So many")->check(CLI::Range(1, 10'000));
  app.add_option("--programs", options.programs, "Hook programs of each")->check(CLI::Range(0, 9));
  app.add_option("--parallel", options.parallel, "--parallel-programs of container-service")->check(CLI::Range(1, 256));
  app.add_flag("--kill", options.kill, "Kill container-service when half of it is done, and start it again");
  CLI11_PARSE(app, argc, argv);
  const auto status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
