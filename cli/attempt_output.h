#pragma once

#include <ostream>

#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::cli {

// A heading and a row per attempt that did not succeed; nothing when there is none.
void PrintAttempts(const google::protobuf::RepeatedPtrField<bus::v1::DeliveryAttempt>& attempts, std::ostream& out);

}  // namespace pvebus::cli
