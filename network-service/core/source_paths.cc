#include "network-service/core/source_paths.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pvebus::network {
namespace {

constexpr std::string_view kEtcNetwork = "/etc/network";

bool IsIn(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::string NormalPath(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    const bool up = part == "..";
    if (up && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!up || !absolute) {
      parts.emplace_back(part);
    }
  }
  const std::string joined = absl::StrJoin(parts, "/");
  if (absolute) return "/" + joined;
  return joined.empty() ? "." : joined;
}

std::string FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

std::string SourcePath(std::string_view source, std::string_view including_file, std::string_view etc_network) {
  if (!source.starts_with('/')) return NormalPath(absl::StrFormat("%s/%s", FolderOf(including_file), source));
  std::string path = NormalPath(source);
  if (!IsIn(path, kEtcNetwork)) return path;
  return NormalPath(absl::StrFormat("%s%s", etc_network, path.substr(kEtcNetwork.size())));
}

bool IsGlob(std::string_view path) { return path.find_first_of("*?[") != std::string_view::npos; }

}  // namespace pvebus::network
