#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "network-service/core/config_change.h"

namespace pvebus::cli {

// In the original project's form. What is no UTF-8 in it is replaced, so that the result is JSON whatever the files are.
std::string ToJson(const network::NetworkDiff& diff);

void PrintChanges(const std::vector<network::ConfigChange>& changes, std::ostream& out);
// The same for changes that come from elsewhere.
struct ChangeLine {
  std::string type;  // "update"
  std::string target;
  std::string description;
};
void PrintChangeLines(const std::vector<ChangeLine>& changes, std::ostream& out);

// One line each, FILE:LINE first, as compilers do.
void PrintDiagnostics(const std::vector<network::Diagnostic>& diagnostics, std::ostream& out);
// `line` 0: the whole file.
void PrintDiagnosticLine(const std::string& file, size_t line, bool error, const std::string& message, std::ostream& out);

}  // namespace pvebus::cli
