#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pvebus::network {

// The words of interfaces(5), ifupdown2 and Open vSwitch. Pure; any thread.

// The one spelling of an option's name: '_' is '-', slaves is bond-slaves.
std::string CanonicalOptionName(std::string_view name);

// Whether each of its lines adds a value: up, post-up, vxlan-remoteip, ... Of the others the last line counts.
bool IsRepeatable(std::string_view canonical_name);

bool IsKnownOption(std::string_view canonical_name);
const std::vector<std::string>& KnownOptions();

// auto, allow-*, iface, source, source-directory.
bool IsKeyword(std::string_view word);
// Words of ifupdown that neither Proxmox VE nor ifupdown2 knows: mapping, no-auto-down, ...
bool IsForeignKeyword(std::string_view word);
// " (did you mean 'iface'?)", or nothing when it is no slip of a keyword.
std::string KeywordMeantBy(std::string_view word);

// 0..6 are names, too.
std::string CanonicalBondMode(std::string_view mode);
bool IsBondMode(std::string_view canonical_mode);

}  // namespace pvebus::network
