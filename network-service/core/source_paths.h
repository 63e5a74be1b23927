#pragma once

#include <string>
#include <string_view>

namespace pvebus::network {

// Paths as text. Pure; any thread.

// Without "//", "/./" and "/x/../"; the same file has one path, but for symbolic links.
std::string NormalPath(std::string_view path);

std::string FolderOf(std::string_view path);

// What `source` in `including_file` names: relative to its folder; /etc/network is `etc_network`. Normal.
std::string SourcePath(std::string_view source, std::string_view including_file, std::string_view etc_network);

// Whether a shell would look for files that match it.
bool IsGlob(std::string_view path);

}  // namespace pvebus::network
