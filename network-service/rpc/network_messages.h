#pragma once

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

// A record, what it is doing (of this or of another apply, or nothing), and what the bus was told. Pure.
v1::Apply ToProto(const ApplyRecord& record, const std::optional<ApplyProgress>& progress,
                  const std::vector<Publication>& publications, Detail detail);
v1::Diagnostic ToProto(const Diagnostic& diagnostic);

}  // namespace pvebus::network
