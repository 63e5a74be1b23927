#include "storage-service/host/probe/storage_mount.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace pvebus::storage {
namespace {

std::string PropertyOf(const Storage& storage, std::string_view name) {
  const auto it = storage.properties.find(name);
  return it == storage.properties.end() ? "" : it->second;
}

bool IsOneOf(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return absl::EqualsIgnoreCase(text, word); });
}

// As the kernel writes a mount point: no slash twice, none at the end. The path is not asked for: that may hang.
std::string Canonical(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (c != '/' || !text.ends_with('/')) text.push_back(c);
  }
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

// `is_mountpoint` is a boolean about `path`, or the path of the mount point itself.
std::string MountPointOfDirectory(const Storage& storage) {
  const std::string is_mountpoint = PropertyOf(storage, "is_mountpoint");
  if (is_mountpoint.empty() || IsOneOf(is_mountpoint, {"0", "off", "no", "false"})) return "";
  return IsOneOf(is_mountpoint, {"1", "on", "yes", "true"}) ? PropertyOf(storage, "path") : is_mountpoint;
}

std::string ServerOf(const Storage& storage) {
  const std::string server = PropertyOf(storage, "server");
  return absl::StrContains(server, ":") ? absl::StrFormat("[%s]", server) : server;
}

bool IsSource(const std::string& mounted, const std::string& wanted) { return mounted == wanted || mounted == wanted + "/"; }

bool IsMountOf(const Storage& storage, const Mount& mount) {
  if (storage.type == "nfs") {
    return mount.type.starts_with("nfs") &&
           IsSource(mount.source, absl::StrFormat("%s:%s", ServerOf(storage), PropertyOf(storage, "export")));
  }
  if (storage.type == "cifs") {
    return mount.type.starts_with("cifs") &&
           IsSource(mount.source,
                    absl::StrFormat("//%s/%s%s", ServerOf(storage), PropertyOf(storage, "share"), PropertyOf(storage, "subdir")));
  }
  if (storage.type == "cephfs") return mount.type == "ceph" || mount.type == "fuse.ceph-fuse";
  return true;
}

}  // namespace

std::string MountPointOf(const Storage& storage) {
  if (!storage.network) return Canonical(MountPointOfDirectory(storage));
  const bool mounted = storage.type == "nfs" || storage.type == "cifs" || storage.type == "cephfs";
  return mounted ? Canonical(PropertyOf(storage, "path")) : "";
}

bool IsMounted(const Storage& storage, const std::vector<Mount>& mounts) {
  const std::string point = MountPointOf(storage);
  return std::any_of(mounts.begin(), mounts.end(),
                     [&](const Mount& mount) { return mount.point == point && IsMountOf(storage, mount); });
}

}  // namespace pvebus::storage
