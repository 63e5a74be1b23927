#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "network-service/core/apply.h"
#include "network-service/core/config_change.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::network {

// Changes in the contract's form. What is too much for an event is cut: beyond 10,000 the last ones; when they have more than
// 900,000 bytes the configurations of all of them, and the last ones that are then still too much. Pure.
google::protobuf::RepeatedPtrField<event::v1::ConfigChange> ToProto(const std::vector<ConfigChange>& changes);

// The event that a notice of this apply becomes: NetworkApplied or Custom network_apply_failed, with the attributes apply_id and
// apply_source (pending, revert, sdn, file, restart; of what was undone: undo). Pure.
event::v1::SystemEvent EventOf(NoticeKind kind, const ApplyRecord& record);

// "network_applied", "network_reverted", "network_apply_failed".
const char* NameOf(NoticeKind kind);

}  // namespace pvebus::network
