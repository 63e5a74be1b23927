#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::container {

// The values of a container file other than netN. Pure; any thread.

// Without the %XX that Proxmox VE writes for what is not printable.
std::string DecodeText(std::string_view text);

bool IsDnsName(std::string_view text);

// An address in its one form; a link-local one may have a zone, as in fe80::1%eth0. Nothing for anything else.
std::optional<std::string> ParseNameserver(std::string_view text);

// N of "netN"; nothing for what Proxmox VE has no interface for.
std::optional<unsigned> ParseNetIndex(std::string_view key);

// Whether there is an option of this name, and the names there are, of numbered ones the first.
bool IsOption(std::string_view key);
const std::vector<std::string>& OptionNames();

}  // namespace pvebus::container
