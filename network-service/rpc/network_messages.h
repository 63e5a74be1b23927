#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <vector>

#include "network-service/core/apply.h"
#include "network-service/core/apply_plan.h"
#include "network-service/core/apply_progress.h"
#include "network-service/core/diagnostic.h"
#include "pvebus/network/v1/network_service.pb.h"

namespace pvebus::network {

// What is shown of an apply.
enum class Detail {
  kShort,  // in lists
  kAll,    // changes and output, too
};

// A record, what it is doing (of this or of another apply, or nothing), and what the bus was told. Less than 3 MiB: of many
// warnings the last ones are left out, of a large answer of the bus what hooks said. Pure.
v1::Apply ToProto(const ApplyRecord& record, const std::optional<ApplyProgress>& progress,
                  const std::vector<Publication>& publications, Detail detail);
// One that is still being checked: its ids and what it is doing. Pure.
v1::Apply ToProto(const ApplyProgress& progress);
// At most 1,001 and little more than 1 MiB: the last one then counts the rest, and errors come before warnings. Pure.
google::protobuf::RepeatedPtrField<v1::Diagnostic> ToProto(std::vector<Diagnostic> diagnostics);

}  // namespace pvebus::network
