#include "storage-service/core/vlan_transaction.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

absl::Status While(const StorageVlan& vlan, const VlanStep& step, const absl::Status& status) {
  return MakeError(
      status.code(), ErrorReason(status),
      absl::StrFormat("%s: could not %s: %s", vlan.LinkName(), StepsText(vlan, {step}, /*done=*/false), status.message()),
      ErrorMetadata(status));
}

// Whether it goes with the link.
bool IsOnLink(const VlanStep& step) {
  return step.part != VlanStep::Part::kLink && step.part != VlanStep::Part::kBridgeVid && step.part != VlanStep::Part::kIsolation;
}

}  // namespace

absl::StatusOr<VlanState> ReadVlanState(NetworkSnapshot network, LinkIsolation& isolation, const StorageVlan& vlan) {
  VlanState state{.network = std::move(network)};
  // Only then: a kernel without nftables has VLANs all the same.
  if (vlan.isolated) {
    auto reachable = isolation.Read(vlan.LinkName());
    if (!reachable.ok()) return reachable.status();
    state.reachable = *std::move(reachable);
  }
  return state;
}

absl::StatusOr<VlanState> ReadVlanState(KernelNetwork& network, LinkIsolation& isolation, const StorageVlan& vlan) {
  auto snapshot = network.Read();
  if (!snapshot.ok()) return snapshot.status();
  return ReadVlanState(*std::move(snapshot), isolation, vlan);
}

absl::Status VlanTransaction::Apply(const std::vector<VlanStep>& steps) {
  for (const VlanStep& step : steps) {
    const absl::Status status = Do(step);
    if (!status.ok() && !(step.removes && absl::IsNotFound(status))) return While(vlan_, step, status);
    done_.push_back(step);
  }
  return absl::OkStatus();
}

absl::Status VlanTransaction::Undo() {
  const bool created = std::any_of(done_.begin(), done_.end(),
                                   [](const VlanStep& step) { return step.part == VlanStep::Part::kLink && !step.removes; });
  std::string left;
  for (auto step = done_.rbegin(); step != done_.rend(); ++step) {
    if (created && IsOnLink(*step)) continue;
    const VlanStep inverse = step->Inverse();
    const absl::Status status = Do(inverse);
    if (status.ok() || absl::IsNotFound(status)) continue;
    absl::StrAppendFormat(&left, "%s%s", left.empty() ? "" : "; ", While(vlan_, inverse, status).message());
  }
  done_.clear();
  if (left.empty()) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "KERNEL_REFUSED", left);
}

absl::Status VlanTransaction::Do(const VlanStep& step) {
  const std::string link = vlan_.LinkName();
  switch (step.part) {
    case VlanStep::Part::kLink:
      return step.removes ? network_.DeleteLink(link) : network_.CreateVlan(vlan_.base, link, vlan_.tag);
    case VlanStep::Part::kMtu:
      return network_.SetMtu(link, step.mtu);
    case VlanStep::Part::kIsolation:
      return step.reachable ? isolation_.Isolate(link, *step.reachable) : isolation_.Release(link);
    case VlanStep::Part::kBridgeVid:
      return step.removes ? network_.RemoveBridgeVid(vlan_.base, vlan_.tag) : network_.AddBridgeVid(vlan_.base, vlan_.tag);
    case VlanStep::Part::kAddress:
      return step.removes ? network_.RemoveAddress(link, vlan_.address) : network_.AddAddress(link, vlan_.address);
    case VlanStep::Part::kUp:
      return network_.SetUp(link, !step.removes);
    case VlanStep::Part::kRoute:
      return step.removes ? network_.RemoveRoute(link, step.subnet, *vlan_.gateway)
                          : network_.AddRoute(link, step.subnet, *vlan_.gateway);
  }
  return absl::OkStatus();
}

}  // namespace pvebus::storage
