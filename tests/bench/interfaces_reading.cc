// The network configuration of an SDN node is read, and compared with a later version of it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "network-service/core/config_change.h"

namespace pvebus::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* kMainFile = "/etc/network/interfaces";
constexpr const char* kSdnFile = "/etc/network/interfaces.d/sdn";
constexpr double kBudgetMs = 50;

struct Options {
  int interfaces = 1000;
  int changes = 50;
  int runs = 200;
  bool check = false;
};

class Files final : public network::InterfacesFiles {
 public:
  explicit Files(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}

  absl::StatusOr<std::string> Read(const std::string& path) override { return texts_.at(path); }
  std::vector<std::string> Glob(const std::string& /*pattern*/) override { return {kSdnFile}; }
  absl::StatusOr<std::vector<std::string>> List(const std::string& /*folder*/) override { return std::vector<std::string>(); }

  size_t Bytes() const {
    size_t bytes = 0;
    for (const auto& [path, text] : texts_) bytes += text.size();
    return bytes;
  }

 private:
  std::map<std::string, std::string> texts_;
};

// Cards, a bond and a bridge in the main file; vnets in the other, each a bridge with a VXLAN or a VLAN as its port. The first
// vnets are `changed`: they have other addresses.
Files MakeNode(const Options& options, int changed) {
  constexpr int kInMainFile = 6;
  std::string sdn = "#version:1\n";
  for (int vnet = 0; vnet < (options.interfaces - kInMainFile) / 2; ++vnet) {
    const bool is_changed = vnet < changed;
    const std::string port = vnet % 2 == 0 ? absl::StrFormat("vxlan_v%d", vnet) : absl::StrFormat("bond0.%d", 2 + vnet);
    absl::StrAppendFormat(&sdn, "\nauto v%d\niface v%d\n\taddress 10.%d.%d.%d/24\n\tbridge_ports %s\n\tbridge_stp off\n", vnet,
                          vnet, vnet / 250, vnet % 250, is_changed ? 2 : 1, port);
    absl::StrAppendFormat(&sdn, "\tbridge_fd 0\n\tmtu 1450\n\tip-forward on\n\talias vnet %d\n\nauto %s\niface %s\n", vnet, port,
                          port);
    if (vnet % 2 == 0) {
      absl::StrAppendFormat(&sdn, "\tvxlan-id %d\n\tvxlan_remoteip 192.0.2.11\n\tvxlan_remoteip 192.0.2.12\n\tmtu 1450\n",
                            100000 + vnet);
    } else {
      absl::StrAppendFormat(&sdn, "\tvlan-raw-device bond0\n\tmtu 1450\n");
    }
  }
  return Files(
      {{kMainFile,
        "auto lo\niface lo inet loopback\n\niface eno1 inet manual\n\niface eno2 inet manual\n\niface eno3 inet manual\n\n"
        "auto bond0\niface bond0 inet manual\n\tbond-slaves eno1 eno2\n\tbond-miimon 100\n\tbond-mode 802.3ad\n\n"
        "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.10/24\n\tgateway 192.0.2.1\n\tbridge-ports bond0\n"
        "\tbridge-stp off\n\tbridge-fd 0\n\tbridge-vlan-aware yes\n\tbridge-vids 2-4094\n\n"
        "source /etc/network/interfaces.d/*\n"},
       {kSdnFile, std::move(sdn)}});
}

double Milliseconds(SteadyClock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

double Median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Fails when the node is not what it is meant to be, or with --check when the budget is exceeded.
absl::Status Run(const Options& options) {
  Files old_files = MakeNode(options, 0);
  Files new_files = MakeNode(options, options.changes);
  std::vector<double> parse_ms, diff_ms, total_ms;
  network::NetworkDiff diff;
  size_t interfaces = 0;
  for (int run = 0; run < options.runs; ++run) {
    const auto begin = SteadyClock::now();
    const auto before = network::ReadConfiguration({}, old_files);
    const auto after = network::ReadConfiguration({}, new_files);
    const auto parsed = SteadyClock::now();
    if (!before.ok()) return before.status();
    if (!after.ok()) return after.status();
    diff = network::Compare(*before, *after);
    const auto end = SteadyClock::now();
    parse_ms.push_back(Milliseconds(parsed - begin) / 2);
    diff_ms.push_back(Milliseconds(end - parsed));
    total_ms.push_back(Milliseconds(end - begin));
    interfaces = after->interfaces.size();
  }
  if (!diff.accepted || std::ssize(diff.changes) != options.changes) {
    const std::string why = diff.diagnostics.empty() ? "" : ": " + diff.diagnostics.front().message;
    return absl::InternalError(absl::StrFormat("%d changes, accepted: %d%s", diff.changes.size(), diff.accepted, why));
  }
  const double total = Median(total_ms);
  std::printf("interfaces_reading interfaces=%zu kb=%zu changes=%zu parse_ms=%.2f diff_ms=%.2f total_ms=%.2f budget_ms=%.0f\n",
              interfaces, new_files.Bytes() / 1024, diff.changes.size(), Median(parse_ms), Median(diff_ms), total, kBudgetMs);
  if (options.check && total > kBudgetMs) return absl::DeadlineExceededError("the budget is exceeded");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("The network configuration of an SDN node is read twice and compared");
  Options options;
  app.add_option("--interfaces", options.interfaces, "Of the node")->check(CLI::Range(7, 8000));
  app.add_option("--changes", options.changes, "Vnets with another address")->check(CLI::Range(0, 4000));
  app.add_option("--runs", options.runs, "Of which the medians are printed")->check(CLI::Range(1, 100'000));
  app.add_flag("--check", options.check, "End with 1 when the budget is exceeded");
  CLI11_PARSE(app, argc, argv);
  const auto status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
