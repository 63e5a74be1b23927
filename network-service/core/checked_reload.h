#pragma once

#include <functional>
#include <optional>

#include "network-service/core/applied_checks.h"
#include "network-service/core/apply.h"
#include "network-service/core/network_node.h"

namespace pvebus::network {

// What a reload is held to.
struct ReloadJudge {
  // The kernel after it.
  std::function<ReloadVerdict(const NetworkSnapshot& kernel)> compare;
  // Whether it may end with 1, as ifreload does when it could not do everything: what uses a card that is not in the node makes
  // every reload end so, whatever else it does.
  std::function<bool(const ReloadVerdict& verdict)> may_be_incomplete;
};

// How it went.
struct ReloadOutcome {
  std::optional<ProgramReport> report;   // absent: it could not be run
  std::optional<ReloadVerdict> verdict;  // absent: there was nothing to compare
  std::optional<ApplyFailure> failure;   // RELOAD_FAILED, RELOAD_TIMED_OUT, NOT_VERIFIED, NOT_AS_CONFIGURED, ...
};

// `ifreload -a`, and whether the kernel is then what it should be. Once more when it is not: ifupdown2 goes through the
// interfaces once, and what happens to one after its turn it does not see, as that a slave is down when its bond lets go of it.
// The report is that of both. `on_compare` is called before it compares.
ReloadOutcome ReloadAndCompare(NetworkNode& node, const ReloadJudge& judge, const std::function<void()>& on_compare);

// The failure that an error is.
ApplyFailure FailureOf(const absl::Status& status, const char* reason);

// Whether one of them is explained by a card that is not in the node. Pure.
bool LacksCards(const std::vector<AppliedFinding>& findings);

}  // namespace pvebus::network
