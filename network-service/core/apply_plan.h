#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "network-service/core/config_change.h"
#include "network-service/core/interfaces_reader.h"
#include "network-service/core/network_node.h"

namespace pvebus::network {

// What would happen if a candidate became the configuration. A value.
struct ApplyPlan {
  NodeFiles files;
  NetworkConfiguration before;
  NetworkConfiguration after;
  NetworkDiff diff;
  std::string etag;  // of all of it
};

// Reads it. FAILED_PRECONDITION CONFIGURATION_UNREADABLE, also when there is no such candidate.
absl::StatusOr<ApplyPlan> ReadPlan(NetworkNode& node, Candidate candidate);

// The warnings about the new configuration, for the record: "FILE:LINE: message".
std::vector<std::string> WarningsOf(const NetworkDiff& diff);

}  // namespace pvebus::network
