#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/messages.h"
#include "bus-service/core/registry.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "pvebus/bus/v1/registry_service.pb.h"

namespace pvebus::bus {

// What listeners and the bus say to each other, and how listeners look to operators. Any thread.

absl::StatusOr<Registration> DecodeRegistration(const v1::Registration& registration);
absl::StatusOr<std::vector<Settlement>> DecodeSettlements(const v1::Settlements& settlements);
absl::StatusOr<Extension> DecodeExtension(const v1::Extension& extension);
absl::StatusOr<StartPosition> DecodeStartPosition(std::string_view field, const v1::StartPosition& position);
absl::StatusOr<uint32_t> DecodeEventTypes(const google::protobuf::RepeatedField<int>& types);

void EncodePolicy(const DeliveryPolicy& policy, v1::DeliveryPolicy& out);
// Without its incidents.
void EncodeListener(const std::string& name, const ListenerRecord& record, v1::Listener& out);
void EncodeIncident(const Incident& incident, v1::ListenerIncident& out);

}  // namespace pvebus::bus
