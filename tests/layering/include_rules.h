#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::layering {

// The architecture as rules over #include lines:
//   main -> rpc | store | host -> core -> sdk/base
// core knows its own core, sdk/base, Abseil and the parts of the standard library that touch neither threads nor files; store,
// host and rpc do not know each other; no service knows another; sdk knows no service; sdk/base knows only the standard library
// and Abseil; cli knows sdk and the core of services other than the bus; nothing but tests knows tests; every include is written
// from the repository root.

// Why `file` (a path from the repository root) may not include `header`; empty when it may. `angled`: written in <>.
std::string WhyForbidden(const std::filesystem::path& file, std::string_view header, bool angled);

// One line `file:line: why` per violation in the tree under `root`, sorted.
std::vector<std::string> Violations(const std::filesystem::path& root);

}  // namespace pvebus::layering
