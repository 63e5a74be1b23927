#pragma once

#include <string>
#include <vector>

namespace pvebus::migration {

// The path with its ids left out: "nodes/{}/qemu/{}/config". An id is what follows the name of a collection ("nodes", "qemu",
// "vnets"), and what looks like one (all digits, or with one of ".:@"). What is no id for it stays: sums per pattern are to be
// bounded by who keeps them. Any thread.
std::string PatternOf(const std::vector<std::string>& segments);

}  // namespace pvebus::migration
