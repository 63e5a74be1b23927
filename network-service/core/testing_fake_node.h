#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "network-service/core/errors.h"
#include "network-service/core/interfaces_reader.h"
#include "network-service/core/network_node.h"
#include "network-service/core/printed_interfaces.h"

namespace pvebus::network {

// The kernel of a node on which a configuration is in force.
inline NetworkSnapshot KernelOf(const Interfaces& interfaces) {
  NetworkSnapshot kernel;
  std::map<std::string, int> index;
  for (const auto& [name, interface] : interfaces) {
    Link link{.index = static_cast<int>(index.size()) + 1, .name = name, .mtu = interface.mtu.value_or(1500)};
    link.up = link.running = interface.enabled;
    link.addresses = interface.addresses;
    if (const auto* bridge = std::get_if<Bridge>(&interface.type)) {
      link.kind = "bridge";
      link.vlan_aware = bridge->vlan_aware;
    }
    if (std::holds_alternative<Bond>(interface.type)) link.kind = "bond";
    if (const auto* vlan = std::get_if<Vlan>(&interface.type)) {
      link.kind = "vlan";
      link.tag = static_cast<uint16_t>(vlan->tag);
      link.dot1q = true;
    }
    index[name] = link.index;
    kernel.links.push_back(std::move(link));
  }
  const auto enslave = [&](const std::set<std::string>& ports, int master) {
    for (Link& link : kernel.links) {
      if (!ports.contains(link.name)) continue;
      link.master_index = master;
      link.up = link.running = true;
    }
  };
  for (const auto& [name, interface] : interfaces) {
    if (const auto* bridge = std::get_if<Bridge>(&interface.type)) enslave(bridge->ports, index[name]);
    if (const auto* bond = std::get_if<Bond>(&interface.type)) enslave(bond->slaves, index[name]);
    const auto* vlan = std::get_if<Vlan>(&interface.type);
    if (vlan != nullptr && index.contains(vlan->parent)) {
      kernel.links[static_cast<size_t>(index[name]) - 1].lower_index = index[vlan->parent];
    }
  }
  return kernel;
}

// A node in memory that does what it is told, until a test says otherwise. One thread.
class FakeNode final : public NetworkNode {
 public:
  // Its files.
  std::optional<std::string> applied;
  std::optional<std::string> staged;
  std::optional<std::string> candidate;
  std::optional<std::string> old;
  std::optional<std::string> reverted;
  std::string sdn;  // interfaces.d/sdn
  std::string unified_diff;
  // What the kernel has.
  NetworkSnapshot kernel;
  // Of `ifreload -a`, one after the other; then all is well.
  std::vector<ProgramReport> reloads;
  ProgramReport syntax;
  int lying_reloads = 0;  // the next few end well and do nothing
  // Reloads do all, and end with 1 nevertheless.
  bool reload_complains = false;
  // The next call of that name fails.
  std::map<std::string, absl::Status> failures;
  // Called before every call, by its name; may throw, as if the process had died.
  std::function<void(const std::string&)> before_call = [](const std::string&) {};
  // Called while ifreload runs.
  std::function<void()> during_reload = [] {};
  // Called while reloads of others are waited for.
  std::function<void(const std::stop_token&)> during_wait = [](const std::stop_token&) {};
  std::vector<std::string> calls;
  int locked = 0;

  void PutInForce(const std::string& text) {
    applied = text;
    kernel = KernelOf(ParsePrinted(text));
  }

  absl::Status CheckAbility() override { return Begin("CheckAbility"); }
  absl::StatusOr<std::unique_ptr<NodeLock>> Lock(const std::stop_token&) override {
    if (absl::Status status = Begin("Lock"); !status.ok()) return status;
    return std::make_unique<FakeLock>(locked);
  }
  absl::StatusOr<NodeFiles> ReadFiles() override {
    if (absl::Status status = Begin("ReadFiles"); !status.ok()) return status;
    return NodeFiles{applied, staged};
  }
  absl::StatusOr<NetworkConfiguration> ReadApplied() override {
    if (absl::Status status = Begin("ReadApplied"); !status.ok()) return status;
    return Parse(applied.value_or(""));
  }
  absl::StatusOr<NetworkConfiguration> ReadCandidate(Candidate which) override {
    if (absl::Status status = Begin("ReadCandidate"); !status.ok()) return status;
    return Parse((which == Candidate::kStaged ? staged : candidate).value_or(""));
  }
  absl::StatusOr<std::string> UnifiedDiff() override { return unified_diff; }
  absl::StatusOr<ProgramReport> CheckSyntax(Candidate, const std::stop_token&) override {
    if (absl::Status status = Begin("CheckSyntax"); !status.ok()) return status;
    return syntax;
  }
  absl::Status PutRevertCandidate(const std::string& bytes) override {
    if (absl::Status status = Begin("PutRevertCandidate"); !status.ok()) return status;
    candidate = bytes;
    return absl::OkStatus();
  }
  absl::Status KeepOld() override {
    if (absl::Status status = Begin("KeepOld"); !status.ok()) return status;
    old = applied;
    return absl::OkStatus();
  }
  absl::Status Install(Candidate which) override {
    if (absl::Status status = Begin("Install"); !status.ok()) return status;
    applied = std::exchange(which == Candidate::kStaged ? staged : candidate, std::nullopt);
    return absl::OkStatus();
  }
  absl::Status Restore(const std::optional<std::string>& old_file, Keep keep) override {
    if (absl::Status status = Begin("Restore"); !status.ok()) return status;
    if (applied != old_file) {
      if (keep == Keep::kAsStaged && !staged) staged = applied;
      if (keep == Keep::kAsReverted) reverted = applied;
      applied = old_file;
    }
    old.reset();
    return absl::OkStatus();
  }
  absl::Status DropOld() override {
    if (absl::Status status = Begin("DropOld"); !status.ok()) return status;
    old.reset();
    candidate.reset();
    return absl::OkStatus();
  }
  absl::StatusOr<ProgramReport> Reload(const std::stop_token&) override {
    if (absl::Status status = Begin("Reload"); !status.ok()) return status;
    during_reload();
    ProgramReport report;
    if (!reloads.empty()) {
      report = reloads.front();
      reloads.erase(reloads.begin());
    }
    if (report.exit_code == 0 && !report.timed_out && lying_reloads == 0) {
      kernel = KernelOf(ParsePrinted(applied.value_or("")));
    }
    if (lying_reloads > 0) --lying_reloads;
    if (reload_complains) report.exit_code = 1;
    return report;
  }
  void WaitForOtherReloads(const std::stop_token& stop) override {
    (void)Begin("WaitForOtherReloads");
    during_wait(stop);
  }
  absl::StatusOr<NetworkSnapshot> ReadKernel() override {
    if (absl::Status status = Begin("ReadKernel"); !status.ok()) return status;
    return kernel;
  }

 private:
  class FakeLock final : public NodeLock {
   public:
    explicit FakeLock(int& locked) : locked_(locked) { ++locked_; }
    ~FakeLock() override { --locked_; }

   private:
    int& locked_;
  };

  class TwoFiles final : public InterfacesFiles {
   public:
    TwoFiles(std::string main, std::string sdn) : main_(std::move(main)), sdn_(std::move(sdn)) {}
    absl::StatusOr<std::string> Read(const std::string& path) override { return path.ends_with("/sdn") ? sdn_ : main_; }
    std::vector<std::string> Glob(const std::string&) override { return {}; }
    absl::StatusOr<std::vector<std::string>> List(const std::string&) override { return std::vector<std::string>(); }

   private:
    std::string main_;
    std::string sdn_;
  };

  absl::StatusOr<NetworkConfiguration> Parse(const std::string& text) const {
    TwoFiles files(text + "\nsource interfaces.d/sdn\n", sdn);
    return ReadConfiguration({}, files);
  }

  absl::Status Begin(const std::string& call) {
    before_call(call);
    calls.push_back(call);
    const auto failure = failures.extract(call);
    return failure ? failure.mapped() : absl::OkStatus();
  }
};

}  // namespace pvebus::network
