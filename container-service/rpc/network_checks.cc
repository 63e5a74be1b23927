#include "container-service/rpc/network_checks.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "container-service/core/lifecycle.h"
#include "container-service/core/link_check.h"
#include "container-service/core/vnet_validation.h"
#include "container-service/rpc/lifecycle_event.h"
#include "container-service/rpc/presence.h"
#include "sdk/base/mutex.h"

namespace pvebus::container {
namespace {

using hooks::HookDetail;
using hooks::HookOutcome;

constexpr size_t kMostFileFindingsShown = 3;

// What was found of one interface.
struct Checked {
  std::string interface;  // "net0"
  std::string found;      // for eyes
  NetworkFindings findings;
};

std::string MessageOf(const NetworkFindings& findings) {
  std::string message;
  for (const NetworkFinding& finding : findings) {
    absl::StrAppendFormat(&message, "%s%s%s", message.empty() ? "" : "; ", finding.warning ? "warning: " : "", finding.message);
  }
  return message;
}

// "; in its file: line 4: net1: ..., and 2 more"
std::string FileFindingsText(const std::vector<ContainerFinding>& findings) {
  if (findings.empty()) return "";
  std::string text = "; in its file: ";
  for (size_t i = 0; i < std::min(findings.size(), kMostFileFindingsShown); ++i) {
    const ContainerFinding& finding = findings[i];
    if (i > 0) text += ", ";
    if (finding.line > 0) absl::StrAppendFormat(&text, "line %d: ", finding.line);
    if (!finding.key.empty()) absl::StrAppendFormat(&text, "%s: ", finding.key);
    text += finding.message;
  }
  if (findings.size() > kMostFileFindingsShown) {
    absl::StrAppendFormat(&text, ", and %d more", findings.size() - kMostFileFindingsShown);
  }
  return text;
}

// One run of a check for one event: who derives from it says what is checked.
class CheckRun {
 public:
  CheckRun(const ContainerNode& node, const client::EventContext& context) : node_(node), context_(context) {}
  virtual ~CheckRun() = default;

  HookOutcome Run() {
    const auto what = LifecycleOf(context_.event());
    if (!what) return Skipped("it is about no container");
    what_ = *what;
    outcome_.resource = ResourceOf(*what);
    if (what->kind == LifecycleKind::kStopped || what->kind == LifecycleKind::kInterfaceRemoved ||
        what->kind == LifecycleKind::kVnetUnbound) {
      return Skipped("nothing is left to check");
    }
    if (HasGoneMeanwhile(node_, context_, *what)) return Skipped("it is not running any more");
    const auto config = node_.ReadConfig(what->container_id);
    if (absl::IsNotFound(config.status())) return Skipped(std::string(config.status().message()));
    if (!config.ok()) return Failed(config.status());
    return Check(*config);
  }

 protected:
  virtual HookOutcome Check(const ContainerConfig& config) = 0;

  HookOutcome Skipped(std::string why) {
    outcome_.state = bus::v1::HOOK_STATE_SKIPPED;
    outcome_.message = std::move(why);
    return std::move(outcome_);
  }
  HookOutcome Failed(const absl::Status& status) {
    outcome_.state = bus::v1::HOOK_STATE_FAILED;
    outcome_.message = std::string(status.message());
    return std::move(outcome_);
  }
  // Leaves only the interface that the event is about, when it is about one.
  // `right` and `not_right` are what "2 interfaces " is followed by.
  HookOutcome Concluded(std::vector<Checked> all, const ContainerConfig& config, std::string_view right,
                        std::string_view not_right) {
    if (!what_.interface.empty()) std::erase_if(all, [&](const Checked& one) { return one.interface != what_.interface; });
    size_t wrong = 0;
    for (const Checked& one : all) {
      wrong += HasErrors(one.findings) ? 1 : 0;
      outcome_.details.push_back(DetailOf(one));
    }
    outcome_.state = StateOf(wrong > 0);
    const char* plural = all.size() == 1 ? "" : "s";
    outcome_.message = wrong == 0 ? absl::StrFormat("%d interface%s %s", all.size(), plural, right)
                                  : absl::StrFormat("%d of %d interface%s %s", wrong, all.size(), plural, not_right);
    outcome_.message += FileFindingsText(config.findings);
    return std::move(outcome_);
  }

  const ContainerNode& node_;
  Lifecycle what_;

 private:
  bus::v1::HookState StateOf(bool wrong) const {
    if (context_.dry_run()) return bus::v1::HOOK_STATE_DRY_RUN;
    return wrong ? bus::v1::HOOK_STATE_FAILED : bus::v1::HOOK_STATE_UNCHANGED;
  }
  HookDetail DetailOf(const Checked& one) const {
    return {.state = StateOf(HasErrors(one.findings)),
            .resource = absl::StrFormat("%s/%s", outcome_.resource, one.interface),
            .before = one.found,
            .after = one.found,
            .message = MessageOf(one.findings)};
  }

  const client::EventContext& context_;
  HookOutcome outcome_;
};

std::string WantedText(const NetworkInterface& interface) {
  const std::string* attached = AttachedTo(interface);
  std::string text = attached == nullptr ? "no bridge" : (interface.vnet ? "vnet " : "") + *attached;
  if (interface.tag) absl::StrAppendFormat(&text, ", tag %d", *interface.tag);
  if (interface.mtu) absl::StrAppendFormat(&text, ", MTU %d", *interface.mtu);
  return text;
}

class ValidationRun final : public CheckRun {
 public:
  using CheckRun::CheckRun;

 private:
  HookOutcome Check(const ContainerConfig& config) override {
    const auto vnets = node_.ReadVnets();
    if (!vnets.ok()) return Failed(vnets.status());
    const auto network = node_.ReadNetwork();
    if (!network.ok()) return Failed(network.status());
    std::map<std::string, NetworkFindings> by_interface;
    for (NetworkFinding& finding : ValidateNetwork(config, *vnets, *network)) {
      std::string interface = finding.interface;
      by_interface[std::move(interface)].push_back(std::move(finding));
    }
    std::vector<Checked> all;
    for (const auto& [index, interface] : config.interfaces) {
      const std::string name = absl::StrFormat("net%d", index);
      all.push_back({name, WantedText(interface), std::move(by_interface[name])});
    }
    return Concluded(std::move(all), config, "can be had on this node", "cannot be had on this node");
  }
};

class LinkRun final : public CheckRun {
 public:
  LinkRun(const ContainerNode& node, const client::EventContext& context, LinkCheckOptions options, std::stop_token stop)
      : CheckRun(node, context), options_(options), stop_(std::move(stop)) {}

 private:
  HookOutcome Check(const ContainerConfig& config) override {
    const SteadyTime deadline = std::chrono::steady_clock::now() + options_.settle;
    while (true) {
      const auto network = node_.ReadNetwork();
      if (!network.ok()) return Failed(network.status());
      if (!IsPresent(node_, *network, what_.container_id)) return Skipped("it is not running");
      std::vector<CheckedLink> links = CheckLinks(config, *network);
      const bool wrong =
          std::any_of(links.begin(), links.end(), [](const CheckedLink& link) { return HasErrors(link.findings); });
      if (wrong && std::chrono::steady_clock::now() < deadline && LookAgain()) continue;
      std::vector<Checked> all;
      all.reserve(links.size());
      for (CheckedLink& link : links) all.push_back({link.interface, link.found, std::move(link.findings)});
      return Concluded(std::move(all), config, "as the file says", "not as the file says");
    }
  }

  // False: it was asked to stop.
  bool LookAgain() {
    const SteadyTime next = std::chrono::steady_clock::now() + options_.look_every;
    Mutex mu;
    CondVar stopped;
    const std::stop_callback wake(stop_, [&] {
      MutexLock lock(mu);
      stopped.NotifyAll();
    });
    MutexLock lock(mu);
    while (!stop_.stop_requested() && stopped.WaitUntil(mu, next)) {
    }
    return !stop_.stop_requested();
  }

  const LinkCheckOptions options_;
  const std::stop_token stop_;
};

}  // namespace

hooks::Hook VnetValidation(const ContainerNode& node) {
  return {
      .name = "vnet-validation",
      .description = "Whether bridge or vnet, tag, MTU and names of each interface can be had on this node",
      .time_limit = std::chrono::seconds(10),
      .run = [&node](const client::EventContext& context, const std::stop_token&) { return ValidationRun(node, context).Run(); }};
}

hooks::Hook LinkCheck(const ContainerNode& node, LinkCheckOptions options) {
  return {.name = "link-check",
          .description = "Whether each interface's devices are there, up, and in the bridges that the file says",
          .time_limit = std::chrono::seconds(10),
          .run = [&node, options](const client::EventContext& context, const std::stop_token& stop) {
            return LinkRun(node, context, options, stop).Run();
          }};
}

}  // namespace pvebus::container
