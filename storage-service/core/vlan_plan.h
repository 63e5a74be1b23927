#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage-service/core/storage_vlan.h"
#include "storage-service/core/vlan_step.h"

namespace pvebus::storage {

// What brings the kernel from what it has to what is wanted. A value; made by pure functions.
struct VlanPlan {
  std::vector<VlanStep> steps;  // in order; isolation comes before the link is up
  std::string waiting;          // what keeps the rest from being done and the VLAN from carrying anything: "vmbr0 is down"

  bool CreatesLink() const;
  bool InOrder() const { return steps.empty() && waiting.empty(); }
  // For eyes: what differs.
  std::string Findings(const StorageVlan& vlan) const;
};

// NOT_FOUND BASE_MISSING, FAILED_PRECONDITION VLAN_CONFLICT and MTU_EXCEEDS_BASE; both sides are named.
absl::StatusOr<VlanPlan> PlanVlan(const StorageVlan& vlan, const VlanState& state);

// What of the VLAN is ours once the steps are done, of which `before` was ours already.
MadeParts MadeAfter(const std::vector<VlanStep>& steps, const MadeParts& before);
// What is ours of a VLAN whose link is gone.
MadeParts MadeWithoutLink(const StorageVlan& vlan, const MadeParts& made, const NetworkSnapshot& network);

// Whether the link of the VLAN's name is that VLAN: 802.1Q, its tag, on its base.
bool HasVlan(const NetworkSnapshot& network, const StorageVlan& vlan);

// What takes away what we made of a VLAN. Empty when nothing of it is left.
std::vector<VlanStep> PlanRemoval(const StorageVlanRecord& record, const VlanState& state);
// For eyes: what stays of it because it is not ours; empty when nothing does.
std::string WhatStays(const StorageVlanRecord& record, const VlanState& state);

}  // namespace pvebus::storage
