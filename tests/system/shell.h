#pragma once

#include <string>

namespace pvebus::testing {

// Runs a shell command that must succeed; its output, standard error included, is in the failure.
void Sh(const std::string& command);
// Whether it succeeds; says nothing.
bool ShSucceeds(const std::string& command);
std::string ShOutput(const std::string& command);

}  // namespace pvebus::testing
