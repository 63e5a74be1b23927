#include "container-service/core/network_finding.h"

#include <algorithm>

namespace pvebus::container {

bool HasErrors(const NetworkFindings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const NetworkFinding& finding) { return !finding.warning; });
}

}  // namespace pvebus::container
