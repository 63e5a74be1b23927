#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "network-service/core/config_change.h"

namespace pvebus::cli {

// In the original project's form. What is no UTF-8 in it is replaced, so that the result is JSON whatever the files are.
std::string ToJson(const network::NetworkDiff& diff);

void PrintChanges(const std::vector<network::ConfigChange>& changes, std::ostream& out);

// One line each, FILE:LINE first, as compilers do.
void PrintDiagnostics(const std::vector<network::Diagnostic>& diagnostics, std::ostream& out);

}  // namespace pvebus::cli
