#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "container-service/core/container_config.h"

namespace pvebus::cli {

// A container as its file was understood, in the original project's form with `extra` and `warnings` beside it. What is no UTF-8
// in it is replaced, so that the result is JSON whatever the file is.
std::string ToJson(const container::ContainerConfig& config);

void PrintContainer(const container::ContainerConfig& config, std::ostream& out);

// One line each, FILE:LINE first, as compilers do.
void PrintContainerFindings(const std::string& file, const std::vector<container::ContainerFinding>& findings, std::ostream& out);

}  // namespace pvebus::cli
