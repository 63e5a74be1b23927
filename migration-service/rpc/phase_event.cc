#include "migration-service/rpc/phase_event.h"

#include <string>

#include "migration-service/core/errors.h"
#include "migration-service/rpc/phases.h"
#include "sdk/base/utf8.h"
#include "sdk/client/proto_time.h"

namespace pvebus::migration {
namespace {

constexpr char kFrom[] = "phase_from";
constexpr char kForce[] = "phase_force";
constexpr char kAutomatic[] = "phase_automatic";
constexpr char kReason[] = "phase_reason";
constexpr char kRequestedBy[] = "phase_requested_by";
constexpr char kYes[] = "true";
// Of an attribute.
constexpr size_t kMostValueBytes = 1024;

std::string Attribute(const event::v1::SystemEvent& event, const char* name) {
  const auto found = event.attributes().find(name);
  return found == event.attributes().end() ? "" : found->second;
}

}  // namespace

event::v1::SystemEvent EventOf(const PhaseOrder& order) {
  event::v1::SystemEvent event;
  event.set_event_id(order.event_id);
  event.set_subject("migration");
  event.mutable_migration_phase_changed()->set_phase(ToProto(order.to));
  const auto set = [&event](const char* name, std::string_view value) {
    if (!value.empty()) (*event.mutable_attributes())[name] = CleanUtf8(value, kMostValueBytes);
  };
  if (order.from) set(kFrom, PhaseName(*order.from));
  if (order.force) set(kForce, kYes);
  if (order.automatic) set(kAutomatic, kYes);
  set(kReason, order.reason);
  set(kRequestedBy, order.requested_by);
  return event;
}

absl::StatusOr<PhaseOrder> OrderOf(const event::v1::SystemEvent& event) {
  const auto phase = FromProto(event.migration_phase_changed().phase());
  if (!phase) return PhaseInvalid(event.migration_phase_changed().phase());
  PhaseOrder order{.to = *phase,
                   .from = PhaseOfName(Attribute(event, kFrom)),
                   .force = Attribute(event, kForce) == kYes,
                   .automatic = Attribute(event, kAutomatic) == kYes,
                   .reason = Attribute(event, kReason),
                   .requested_by = Attribute(event, kRequestedBy),
                   .event_id = event.event_id(),
                   .time = client::FromProto(event.publish_time())};
  if (order.requested_by.empty()) order.requested_by = event.source();
  return order;
}

}  // namespace pvebus::migration
